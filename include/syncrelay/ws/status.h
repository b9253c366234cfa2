#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

#include "syncrelay/base/clock.h"
#include "syncrelay/base/log.h"
#include "syncrelay/metrics/cluster_stats.h"
#include "syncrelay/metrics/stats.h"

namespace syncrelay {

// What /health and /metrics tell about. Built once; `stopping` is set when the drain begins,
// `catching_up` where nobody may be a client: before the cluster's log was read, and when it goes
// on under another epoch. Thread-safe.
struct Status {
  std::string version;
  std::string epoch;  // empty: it is not known yet
  TimePoint started;
  const Clock& clock;
  const Log& log;
  const RelayStats& relay;
  std::vector<const ShardStats*> shards;
  const ClusterStats* cluster = nullptr;  // null: the relay is alone
  std::atomic<bool> stopping{false};
  std::atomic<bool> catching_up{false};
  Counter refused_sockets{};        // closed by the acceptor before HTTP; its thread writes
  const DoorStats* door = nullptr;  // of the admin listener; null: there is none

  std::uint64_t clients() const {
    std::uint64_t sum = 0;
    for (const ShardStats* shard : shards) sum += shard->clients.get();
    return sum;
  }
};

}  // namespace syncrelay
