#include "syncrelay/base/ebb_rule.h"

#include <doctest/doctest.h>

namespace syncrelay {
namespace {

constexpr std::uint64_t kMiB = 1024 * 1024;

TimePoint at(int second) {
  return TimePoint(std::chrono::seconds(second));
}

TEST_CASE("It is time once, when much is gone and no more is going") {
  EbbRule rule;
  CHECK_FALSE(rule.look(100 * kMiB, 0, at(1)));
  CHECK_FALSE(rule.look(60 * kMiB, 0, at(2)));
  CHECK_FALSE(rule.look(20 * kMiB, 0, at(3)));
  CHECK(rule.look(20 * kMiB, 0, at(4)));
  CHECK_FALSE(rule.look(20 * kMiB, 0, at(100)));
}

TEST_CASE("It is not time for a little, and a little more is not forgotten") {
  EbbRule rule;
  CHECK_FALSE(rule.look(100 * kMiB, 0, at(1)));
  CHECK_FALSE(rule.look(95 * kMiB, 0, at(2)));
  CHECK_FALSE(rule.look(95 * kMiB, 0, at(3)));
  CHECK_FALSE(rule.look(90 * kMiB, 0, at(4)));
  CHECK(rule.look(90 * kMiB, 0, at(5)));
}

TEST_CASE("What came and went between two looks counts, too") {
  EbbRule rule;
  CHECK_FALSE(rule.look(10 * kMiB, 0, at(1)));
  CHECK(rule.look(10 * kMiB, 50 * kMiB, at(2)));
  CHECK_FALSE(rule.look(10 * kMiB, 50 * kMiB, at(20)));
}

TEST_CASE("What comes and goes all the time is given back now and then") {
  EbbRule rule;
  int times = 0;
  for (int second = 0; second < 60; ++second)
    times += rule.look(second % 3 == 0 ? 50 * kMiB : 10 * kMiB, 0, at(second)) ? 1 : 0;
  CHECK(times >= 5);
  CHECK(times <= 60 / 5);
}

}  // namespace
}  // namespace syncrelay
