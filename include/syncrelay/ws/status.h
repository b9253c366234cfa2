#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

#include "syncrelay/base/clock.h"
#include "syncrelay/base/log.h"
#include "syncrelay/metrics/stats.h"

namespace syncrelay {

// What /health and /metrics tell about. Built once; `stopping` is set when the drain begins.
// Thread-safe.
struct Status {
  std::string version;
  std::string epoch;
  TimePoint started;
  const Clock& clock;
  const Log& log;
  const RelayStats& relay;
  std::vector<const ShardStats*> shards;
  std::atomic<bool> stopping{false};
  Counter refused_sockets;          // closed by the acceptor before HTTP; its thread writes
  const DoorStats* door = nullptr;  // of the admin listener; null: there is none

  std::uint64_t clients() const {
    std::uint64_t sum = 0;
    for (const ShardStats* shard : shards) sum += shard->clients.get();
    return sum;
  }
};

}  // namespace syncrelay
