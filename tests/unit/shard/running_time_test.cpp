#include "syncrelay/shard/running_time.h"

#include <doctest/doctest.h>

namespace syncrelay {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;

constexpr TimePoint kStart{hours(5)};

TEST_CASE("Time goes on as the clock does while ticks come regularly") {
  RunningTime time(kStart);
  for (int tick = 1; tick <= 10; ++tick) time.tick(kStart + tick * milliseconds(250));
  CHECK(time.now() == kStart + milliseconds(2'500));
}

TEST_CASE("A gap between two ticks counts as one long step") {
  RunningTime time(kStart);
  time.tick(kStart + hours(3));
  CHECK(time.now() == kStart + RunningTime::kLongestStep);
  time.tick(kStart + hours(3) + milliseconds(250));
  CHECK(time.now() == kStart + RunningTime::kLongestStep + milliseconds(250));
}

TEST_CASE("Everything is heard up to the tick before the last one") {
  RunningTime time(kStart);
  time.tick(kStart + milliseconds(200));
  CHECK(time.heard() == kStart);
  time.tick(kStart + milliseconds(300));
  CHECK(time.heard() == kStart + milliseconds(200));
}

}  // namespace
}  // namespace syncrelay
