#include "syncrelay/relay/gather_rule.h"

#include <doctest/doctest.h>

#include <chrono>

namespace syncrelay {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

// How many of the batches that lone commands make would wait, when they come at this distance.
int waiting(Duration distance, int commands = 1000) {
  GatherRule rule(milliseconds(1));
  TimePoint now{std::chrono::hours(1)};
  int count = 0;
  for (int number = 0; number < commands; ++number) {
    if (rule.patience(now) > Duration::zero()) ++count;
    rule.published(1, now);
    now += distance;
  }
  return count;
}

TEST_CASE("Commands that come one by one leave at once") {
  CHECK(waiting(milliseconds(2)) == 0);
  CHECK(waiting(microseconds(900)) == 0);
}

TEST_CASE("A few that happen to come close together leave at once, too") {
  CHECK(waiting(microseconds(50), 10) == 0);
}

TEST_CASE("Where they crowd they wait for each other") {
  CHECK(waiting(microseconds(100)) > 900);
}

TEST_CASE("A command that comes alone behind a crowd does not wait") {
  GatherRule rule(milliseconds(1));
  const TimePoint start{std::chrono::hours(1)};
  rule.published(256, start);
  CHECK(rule.patience(start + microseconds(999)) == milliseconds(1));
  CHECK(rule.patience(start + milliseconds(1)) == Duration::zero());
}

TEST_CASE("Without a store nothing waits") {
  GatherRule rule(Duration::zero());
  rule.published(256, TimePoint{});
  CHECK(rule.patience(TimePoint{}) == Duration::zero());
}

}  // namespace
}  // namespace syncrelay
