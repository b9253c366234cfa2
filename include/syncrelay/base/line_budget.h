#pragma once

#include <algorithm>
#include <cstdint>
#include <utility>

#include "syncrelay/base/clock.h"

namespace syncrelay {

// How many log lines of one kind there may be: so many at once, and so many a second from then on,
// so that a stranger cannot fill the disk. What goes untold is counted. One thread only.
class LineBudget {
 public:
  struct Bounds {
    double per_second;
    double at_once;
  };

  LineBudget(Bounds bounds, TimePoint now) : bounds_(bounds), left_(bounds.at_once), at_(now) {}

  // Whether a line may be written now. When it may, `untold` is how many were not since the last.
  bool allows(TimePoint now, std::uint64_t& untold) {
    const double seconds = std::chrono::duration<double>(now - at_).count();
    left_ = std::min(bounds_.at_once, left_ + seconds * bounds_.per_second);
    at_ = now;
    if (left_ < 1) {
      ++untold_;
      return false;
    }
    --left_;
    untold = std::exchange(untold_, 0);
    return true;
  }

 private:
  const Bounds bounds_;
  double left_;
  TimePoint at_;
  std::uint64_t untold_ = 0;
};

}  // namespace syncrelay
