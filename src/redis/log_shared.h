#pragma once

#include <atomic>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "redis/checkpoint_desk.h"
#include "redis/dialer.h"
#include "redis/scripts.h"
#include "redis/session_gate.h"
#include "syncrelay/base/log.h"
#include "syncrelay/base/mailbox.h"
#include "syncrelay/base/wake.h"
#include "syncrelay/metrics/cluster_stats.h"
#include "syncrelay/redis/cluster_log.h"
#include "syncrelay/redis/outgoing.h"

namespace syncrelay {

// The other relays, as the last sign of life was answered. Thread-safe.
class KnownRelays {
 public:
  void set(std::vector<NodeId> relays) {
    const std::lock_guard lock(mutex_);
    relays_ = std::move(relays);
  }
  std::vector<NodeId> get() const {
    const std::lock_guard lock(mutex_);
    return relays_;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<NodeId> relays_;
};

// What the user and the three threads of a ClusterLog have in common.
struct LogShared {
  LogShared(ClusterLog::Settings s, const Log& l);

  const ClusterLog::Settings settings;
  const std::string options;  // as they are kept in Redis: "name=value\n" each
  const Log& log;
  const LogKeys keys;
  const Dialer dialer;
  const NodeId first_relay;
  ClusterStats own_stats;  // where nobody asks for them
  ClusterStats& stats;

  Wake arrived;  // for the user
  Wake reader, appender, keeper;
  SessionGate gate;
  Outgoing outgoing;
  CheckpointDesk desk;
  KnownRelays known;
  Mailbox<ClusterEvent> events;

  std::atomic<bool> stopping{false};      // no more appends, no more signs of life
  std::atomic<bool> reading_over{false};  // and no more reading
  std::atomic<bool> caught_up{false};
  std::atomic<std::uint64_t> newest{0};  // n of the newest checkpoint
};

// Waits until `wake` is set, which it clears, or for that long.
void wait_for(Wake& wake, Duration duration);

}  // namespace syncrelay
