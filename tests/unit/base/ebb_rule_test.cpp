#include "syncrelay/base/ebb_rule.h"

#include <doctest/doctest.h>

#include "syncrelay/base/counter.h"

namespace syncrelay {
namespace {

constexpr std::uint64_t kMiB = 1024 * 1024;

TimePoint at(int second) {
  return TimePoint(std::chrono::seconds(second));
}

EbbRule::Held held(std::uint64_t bytes, std::uint64_t gone = 0) {
  return {bytes, bytes, gone};
}

TEST_CASE("It is time once, when much is gone and no more is going") {
  EbbRule rule;
  CHECK_FALSE(rule.look(held(100 * kMiB, 0), at(1)));
  CHECK_FALSE(rule.look(held(60 * kMiB, 0), at(2)));
  CHECK_FALSE(rule.look(held(20 * kMiB, 0), at(3)));
  CHECK(rule.look(held(20 * kMiB, 0), at(4)));
  CHECK_FALSE(rule.look(held(20 * kMiB, 0), at(100)));
}

TEST_CASE("It is not time for a little, and a little more is not forgotten") {
  EbbRule rule;
  CHECK_FALSE(rule.look(held(100 * kMiB, 0), at(1)));
  CHECK_FALSE(rule.look(held(95 * kMiB, 0), at(2)));
  CHECK_FALSE(rule.look(held(95 * kMiB, 0), at(3)));
  CHECK_FALSE(rule.look(held(90 * kMiB, 0), at(4)));
  CHECK(rule.look(held(90 * kMiB, 0), at(5)));
}

TEST_CASE("What came and went between two looks counts, too") {
  EbbRule rule;
  CHECK_FALSE(rule.look(held(10 * kMiB, 0), at(1)));
  CHECK(rule.look(held(10 * kMiB, 50 * kMiB), at(2)));
  CHECK_FALSE(rule.look(held(10 * kMiB, 50 * kMiB), at(20)));
}

TEST_CASE("What was filled and drained between two looks counts by its peak") {
  EbbRule rule;
  CHECK_FALSE(rule.look(held(10 * kMiB), at(1)));
  CHECK(rule.look({10 * kMiB, 60 * kMiB, 0}, at(2)));
  CHECK_FALSE(rule.look(held(10 * kMiB), at(20)));
  CHECK_FALSE(rule.look({10 * kMiB, 14 * kMiB, 0}, at(40)));
}

TEST_CASE("A peak is the highest value since it was taken") {
  Peak peak;
  CHECK(peak.take() == 0);
  peak.raise(3);
  peak.raise(7);
  peak.raise(5);
  CHECK(peak.take() == 7);
  peak.raise(5);
  CHECK(peak.take() == 5);
}

TEST_CASE("What comes and goes all the time is given back now and then") {
  EbbRule rule;
  int times = 0;
  for (int second = 0; second < 60; ++second)
    times += rule.look(held(second % 3 == 0 ? 50 * kMiB : 10 * kMiB, 0), at(second)) ? 1 : 0;
  CHECK(times >= 5);
  CHECK(times <= 60 / 5);
}

}  // namespace
}  // namespace syncrelay
