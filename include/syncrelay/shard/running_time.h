#pragma once

#include <algorithm>
#include <chrono>

#include "syncrelay/base/clock.h"

namespace syncrelay {

// The time in which a shard ran, by which it judges its clients. It moves with the shard's ticks
// only, and by no more than kLongestStep at one: a process that was stopped or a machine that was
// suspended does not count against those who could not be heard meanwhile. Rejected: the clock
// itself, by which every deadline was over before the first waiting pong was read. Its shard's
// thread only.
class RunningTime {
 public:
  static constexpr Duration kLongestStep = std::chrono::seconds(1);  // four ticks

  explicit RunningTime(TimePoint start) : at_(start), now_(start), heard_(start) {}

  // To be called several times a second, with other work (reads) between two calls.
  void tick(TimePoint at) {
    heard_ = now_;
    now_ += std::min(at - at_, kLongestStep);
    at_ = at;
  }

  // For what is begun: deadlines count from here.
  TimePoint now() const { return now_; }

  // For verdicts: whatever clients said until then has been read.
  TimePoint heard() const { return heard_; }

 private:
  TimePoint at_;  // by the clock, at the last tick
  TimePoint now_;
  TimePoint heard_;
};

}  // namespace syncrelay
