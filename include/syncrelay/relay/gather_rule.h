#pragma once

#include <cstdint>

#include "syncrelay/base/clock.h"

namespace syncrelay {

// How long a batch that nobody waits for may wait for more commands. A transaction costs more than
// a command, so where commands crowd they share one; one that comes alone leaves at once. They
// crowd when several came while the batch before was stored, and that was just now. Relay thread
// only; time is passed in.
class GatherRule {
 public:
  // `longest`: zero without a store, where nothing is gained by waiting.
  explicit GatherRule(Duration longest) : longest_(longest) {}

  Duration patience(TimePoint now) const {
    return crowded_ && now - published_ < longest_ ? longest_ : Duration::zero();
  }

  // A batch of so many commands was published.
  void published(std::uint64_t commands, TimePoint now) {
    crowded_ = commands > 1;
    published_ = now;
  }

 private:
  const Duration longest_;
  bool crowded_ = false;
  TimePoint published_{};
};

}  // namespace syncrelay
