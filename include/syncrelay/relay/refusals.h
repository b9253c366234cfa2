#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "syncrelay/base/clock.h"
#include "syncrelay/base/ring.h"
#include "syncrelay/protocol/rejection.h"

namespace syncrelay {

// By which way a command came.
enum class CommandSource : std::uint8_t { push, control, http, client };
inline constexpr std::array<std::string_view, 4> kCommandSourceNames = {"push", "control", "http",
                                                                        "client"};

// A command that was refused, as a person may ask about it.
struct RefusedCommand {
  WallTime ts;
  RejectReason reason = RejectReason::invalid_json;
  std::string detail;  // at most kMaxDetail bytes of it
  CommandSource source = CommandSource::push;
  std::size_t endpoint = 0;  // push: which of the sockets, from 1 on; 0: it is not known
  std::string_view op;       // empty: it was not even decoded
  std::string channel;       // empty: the default one, or not known
  std::size_t offset = 0;    // byte in the message
  std::optional<std::size_t> index = {};  // of the command in its batch
  std::size_t bytes = 0;                  // of the message
};

// The newest refused commands: a few, since they are for a person. Relay thread only.
class Refusals {
 public:
  static constexpr std::size_t kMax = 200;
  static constexpr std::size_t kMaxDetail = 256;

  void add(RefusedCommand refused) {
    if (all_.size() == kMax) all_.pop_front();
    all_.push_back(std::move(refused));
  }

  std::size_t size() const { return all_.size(); }
  // From the newest, 0, on. Precondition: index < size().
  const RefusedCommand& newest(std::size_t index) const { return all_[all_.size() - 1 - index]; }

 private:
  Ring<RefusedCommand> all_;
};

}  // namespace syncrelay
