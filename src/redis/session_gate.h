#pragma once

#include <cstdint>
#include <mutex>
#include <string>

#include "syncrelay/base/wake.h"
#include "syncrelay/redis/cluster_event.h"

namespace syncrelay {

// A time in which this relay is registered under an epoch and may append.
struct Session {
  std::uint64_t number = 0;
  bool open = false;
  std::string epoch;
  NodeId relay;
};

// Says to the other threads whether there is a session: the reader opens and closes them; whoever
// finds that one has ended says so, and the reader looks what has happened. Thread-safe.
class SessionGate {
 public:
  // Both are set when a session opens or ends, `reader` when another ends it.
  SessionGate(Wake& reader, Wake& appender, Wake& keeper)
      : reader_(reader), appender_(appender), keeper_(keeper) {}

  Session current() const {
    const std::lock_guard lock(mutex_);
    return session_;
  }

  void open(std::string epoch, NodeId relay) {
    {
      const std::lock_guard lock(mutex_);
      session_ = {session_.number + 1, true, std::move(epoch), relay};
    }
    appender_.set();
    keeper_.set();
  }

  void close() {
    const std::lock_guard lock(mutex_);
    session_.open = false;
  }

  // That session has ended, by what Redis says.
  void ended(std::uint64_t number) {
    {
      const std::lock_guard lock(mutex_);
      if (session_.number != number) return;
      session_.open = false;
    }
    reader_.set();
  }

 private:
  Wake& reader_;
  Wake& appender_;
  Wake& keeper_;
  mutable std::mutex mutex_;
  Session session_;
};

}  // namespace syncrelay
