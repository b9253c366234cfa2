#pragma once

#include <cmath>
#include <cstdint>

#include "syncrelay/base/clock.h"

namespace syncrelay {

// How long a batch that nobody waits for may wait for more commands. A transaction costs more than
// a command, so where commands crowd they share one; one that comes alone leaves at once. They
// crowd when the last batch was just now, and of late several came in the time that one may wait.
// Relay thread only; time is passed in.
class GatherRule {
 public:
  // `longest`: zero without a store, where nothing is gained by waiting.
  explicit GatherRule(Duration longest) : longest_(longest) {}

  Duration patience(TimePoint now) const {
    const bool crowded = recent_ >= kCrowd * kMemory;
    return crowded && now - published_ < longest_ ? longest_ : Duration::zero();
  }

  // A batch of so many commands was published.
  void published(std::uint64_t commands, TimePoint now) {
    if (longest_ == Duration::zero()) return;
    const double since = std::chrono::duration<double>(now - published_) / longest_;
    recent_ = recent_ * std::exp(-since / kMemory) + static_cast<double>(commands);
    published_ = now;
  }

 private:
  static constexpr double kCrowd = 2;    // commands while one may wait
  static constexpr double kMemory = 10;  // in times that one may wait

  const Duration longest_;
  double recent_ = 0;  // commands, the older the less they count
  TimePoint published_{};
};

}  // namespace syncrelay
