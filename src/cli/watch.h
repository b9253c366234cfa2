#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "event_stream.h"
#include "syncrelay/cli/console.h"

namespace syncrelay {

// Prints what a client of the relay receives. After a lost connection it connects again, for ever,
// and goes on at its position.
class Watch {
 public:
  struct Settings {
    std::string host;
    std::uint16_t port;
    std::uint64_t count;                // messages after which it ends; 0: never
    std::chrono::milliseconds timeout;  // for the first connection
  };

  Watch(const Settings& settings, const Console& console)
      : settings_(settings), console_(console) {}

  // False when the relay refuses or could not be reached at first: why() tells.
  bool run();
  const std::string& why() const { return why_; }

 private:
  bool take(std::string_view message);
  void note_position(std::string_view message);
  void tell(const StreamEnd& end) const;
  bool fail(const StreamEnd& end);
  std::chrono::milliseconds time_left() const;  // for the first message to come
  std::string path() const;
  std::string place() const;

  const Settings settings_;
  const Console& console_;
  const std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
  std::string epoch_;  // empty until the first message
  std::string seq_;
  std::uint64_t printed_ = 0;
  std::string why_;
};

}  // namespace syncrelay
