#pragma once

#include <chrono>

#include "syncrelay/base/clock.h"

namespace syncrelay::testing {

// Time that stands still until a test moves it. May be read by any thread while nobody moves it.
class FakeClock final : public Clock {
 public:
  TimePoint now() const override { return now_; }
  WallTime wall() const override { return wall_; }

  void advance(Duration by) {
    now_ += by;
    wall_.microseconds += std::chrono::duration_cast<std::chrono::microseconds>(by).count();
  }
  void set_wall(WallTime time) { wall_ = time; }

 private:
  TimePoint now_{std::chrono::hours(1)};
  WallTime wall_{1'763'838'000'123'456};
};

}  // namespace syncrelay::testing
