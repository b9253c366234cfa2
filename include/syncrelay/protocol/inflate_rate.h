#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "syncrelay/base/clock.h"

namespace syncrelay {

// How much the deflated messages of one client may cost: so many bytes a second, and so many at
// once after a silence.
struct InflateBounds {
  std::uint64_t per_second = 0;  // 0: no limit
  std::uint64_t at_once = 0;
};

// One client's share of them: a message costs what it comes as, what it inflates to, and
// kMessageBytes. It is short and inflates to much, or to nothing in much time, so that neither what
// was sent nor the count of messages says what it is to read it. Reads no clock. The thread of its
// connection only.
class InflateRate {
 public:
  static constexpr std::size_t kMessageBytes = 64;

  // Whether a message may be inflated at `now`: also one that costs more than is left.
  bool allows(const InflateBounds& bounds, TimePoint now) {
    if (bounds.per_second == 0) return true;
    free_at_ = std::max(free_at_, now);
    return free_at_ - now < duration_of(bounds.at_once, bounds);
  }
  // It came as so many bytes, and inflated to so many. Precondition: allows() was asked.
  void charge(const InflateBounds& bounds, std::size_t deflated, std::size_t inflated) {
    if (bounds.per_second == 0) return;
    free_at_ += duration_of(kMessageBytes + deflated + inflated, bounds);
  }

 private:
  static Duration duration_of(std::uint64_t bytes, const InflateBounds& bounds) {
    const std::chrono::duration<double> seconds(static_cast<double>(bytes) /
                                                static_cast<double>(bounds.per_second));
    return std::chrono::duration_cast<Duration>(seconds);
  }

  TimePoint free_at_{};  // from then on all of `at_once` is there
};

}  // namespace syncrelay
