#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "syncrelay/base/clock.h"
#include "syncrelay/base/descriptor.h"
#include "syncrelay/base/log.h"
#include "syncrelay/base/mailbox.h"
#include "syncrelay/base/result.h"
#include "syncrelay/base/tally.h"
#include "syncrelay/shard/shard.h"
#include "syncrelay/tls/tls_server.h"
#include "syncrelay/ws/admission.h"
#include "syncrelay/ws/gatekeeper.h"
#include "syncrelay/ws/status.h"
#include "syncrelay/ws/transients.h"

namespace syncrelay {

// A connection that the acceptor took.
struct AcceptedSocket {
  Descriptor fd;
  std::string address;  // the peer's, without its port
  Tally::Unit counted;  // among its loop's connections
};
constexpr std::size_t weight(const AcceptedSocket&) {
  return 1;
}

// The thread of one shard: an event loop with a libwebsockets context of its own that feeds a
// Shard. All but what is marked otherwise belongs to the thread that builds it.
class ShardLoop {
 public:
  struct Settings {
    std::uint64_t max_client_message = 0;  // bytes
    Duration handshake_timeout{};          // looked at four times a second
    Transients::Bounds transients{};
    std::size_t waiting_sockets = 1;  // accepted, but not adopted yet
    std::string hello_type = "sync:hello";
    TlsServer* tls = nullptr;  // null: the port is plain
  };

  // All references must outlive the loop.
  ShardLoop(const Settings& settings, const Shard::Settings& shard, const Clock& clock,
            ShardStats& stats, Outbox& outbox, const DoorRules& rules, const Status& status,
            const Log& log);
  ~ShardLoop();
  ShardLoop(const ShardLoop&) = delete;
  ShardLoop& operator=(const ShardLoop&) = delete;

  // See Replica::restore(). To be called before start().
  void restore(const Restored& restored);

  // Builds the libwebsockets context and starts the thread. The error says what could not be had.
  Result<void, std::string> start();

  Mailbox<Letter>& letters();

  // Takes over a connection from the acceptor, waiting while too many wait already; closes it when
  // the loop has ended. Thread-safe.
  void adopt(Descriptor fd, std::string address);

  // Connections adopted and not ended yet, upgraded or not. Thread-safe.
  std::uint32_t connections() const;

  // Lets every client have what has been posted until `deadline` at most, closes all for this cause
  // and ends the thread.
  void begin_drain(TimePoint deadline, CloseCause cause = CloseCause::relay_stopping);
  // Waits for that, and gives up the context with the connections that the drain has left.
  void join();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace syncrelay
