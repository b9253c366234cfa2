#pragma once

#include <algorithm>
#include <cstdint>

#include "syncrelay/base/clock.h"

namespace syncrelay {

// When so much memory has been let go of that it is worth giving back to the system: the allocator
// keeps what is freed between what stays, and to hand that over takes it some milliseconds. So it
// is done when much is gone, no more is going, and it was not done just now. One thread only; time
// is passed in.
class EbbRule {
 public:
  static constexpr std::uint64_t kMuch = 8 * 1024 * 1024;  // bytes
  static constexpr Duration kPause = std::chrono::seconds(5);

  // In bytes, more or less.
  struct Held {
    std::uint64_t now;
    std::uint64_t peak;  // since the last look, where that is known; not under `now`
    std::uint64_t gone;  // let go of so far, where it is not known what was held in between
  };

  // To be asked about once a second. True: it is time, which is taken as done.
  bool look(const Held& held, TimePoint now) {
    const std::uint64_t bytes = held.now;
    const bool going = bytes + kMuch / 8 < before_;
    before_ = bytes;
    highest_ = std::max(highest_, held.peak);
    const bool much = highest_ - bytes >= kMuch || held.gone - gone_before_ >= kMuch;
    if (going || !much || now - given_back_ < kPause) return false;
    highest_ = bytes;
    gone_before_ = held.gone;
    given_back_ = now;
    return true;
  }

 private:
  std::uint64_t highest_ = 0;  // since it was time
  std::uint64_t before_ = 0;
  std::uint64_t gone_before_ = 0;  // when it was time
  TimePoint given_back_ = TimePoint() - kPause;
};

}  // namespace syncrelay
