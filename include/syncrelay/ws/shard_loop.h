#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "syncrelay/base/clock.h"
#include "syncrelay/base/log.h"
#include "syncrelay/base/mailbox.h"
#include "syncrelay/base/result.h"
#include "syncrelay/shard/shard.h"
#include "syncrelay/ws/admission.h"
#include "syncrelay/ws/status.h"

namespace syncrelay {

enum class ListenerRole : std::uint8_t { clients, admin };

// A connection that the acceptor took; whoever holds this owns the descriptor.
struct AcceptedSocket {
  int fd = -1;
  ListenerRole role = ListenerRole::clients;
};
constexpr std::size_t weight(const AcceptedSocket&) {
  return 1;
}

// The thread of one shard: an event loop with a libwebsockets context of its own that feeds a
// Shard. Construction, start(), begin_drain() and join() belong to the thread that builds it.
class ShardLoop {
 public:
  struct Settings {
    std::uint32_t index = 0;               // of this shard; part of its connections' ids
    std::uint64_t max_client_message = 0;  // bytes
    std::vector<std::string> allowed_origins;
    Duration handshake_timeout{};  // rounded up to seconds
  };

  // All references must outlive the loop.
  ShardLoop(const Settings& settings, const Shard::Settings& shard, const Clock& clock,
            ShardStats& stats, Admission& admission, const Status& status, const Log& log);
  ~ShardLoop();
  ShardLoop(const ShardLoop&) = delete;
  ShardLoop& operator=(const ShardLoop&) = delete;

  // See Replica::restore(). To be called before start().
  void restore(std::span<const Update> updates, Seq last);

  // Builds the libwebsockets context and starts the thread. The error says what could not be had.
  Result<void, std::string> start();

  Mailbox<Update>& updates();

  // Takes over a connection from the acceptor; closes it when the loop has ended. Thread-safe.
  void adopt(const AcceptedSocket& socket);

  // Connections adopted and not ended yet, upgraded or not. Thread-safe.
  std::uint32_t connections() const;

  // Lets every client have what has been posted until `deadline` at most, closes all with 1001 and
  // ends the thread.
  void begin_drain(TimePoint deadline);
  void join();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace syncrelay
