#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "syncrelay/base/clock.h"
#include "syncrelay/base/ring.h"
#include "syncrelay/metrics/stats.h"

namespace syncrelay {

// What happened within the last quarter of an hour, a sample each two seconds, for a person who
// looks: see the query "history". Relay thread only.
class Traffic {
 public:
  static constexpr int kStepSeconds = 2;
  static constexpr std::size_t kMax = 450;  // samples

  struct Sample {
    WallTime ts;                // its end
    std::uint64_t clients = 0;  // now, as the next three
    std::uint64_t slow = 0;
    std::uint64_t lag = 0;  // of the slowest client, in events
    std::uint64_t inbox = 0;
    std::uint64_t events = 0;  // in this step, as all below
    std::uint64_t bytes = 0;   // sent to clients
    std::uint64_t commands = 0;
    std::uint64_t refused = 0;
    std::uint64_t skipped = 0;
    std::uint64_t stalled = 0;           // clients closed because they took nothing
    std::optional<double> median = {};   // seconds from an event's acceptance to the last write of
    std::optional<double> slowest = {};  // the pass, and the same of 99 in 100; none: no events
  };

  // Both must outlive it.
  Traffic(const RelayStats& relay, std::vector<const ShardStats*> shards, TimePoint now);

  // To be called often: takes a sample when it is time to.
  void look(TimePoint now, WallTime wall);

  // A JSON array of all samples, the oldest first.
  std::string json() const;

 private:
  using Buckets = std::array<std::uint64_t, LatencyHistogram::kBounds.size() + 1>;

  // Counters that only grow.
  struct Totals {
    std::uint64_t events = 0;
    std::uint64_t bytes = 0;
    std::uint64_t commands = 0;
    std::uint64_t refused = 0;
    std::uint64_t skipped = 0;
    std::uint64_t stalled = 0;
    Buckets delays{};
  };

  Totals totals() const;
  Sample sample(const Totals& now, WallTime wall) const;

  const RelayStats& relay_;
  const std::vector<const ShardStats*> shards_;
  TimePoint next_;
  Totals before_;
  Ring<Sample> samples_;
};

}  // namespace syncrelay
