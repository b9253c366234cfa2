#include "syncrelay/relay/gather_rule.h"

#include <doctest/doctest.h>

#include <chrono>

namespace syncrelay {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

constexpr TimePoint kStart{std::chrono::hours(1)};

TEST_CASE("A command that comes alone leaves at once, however soon after the one before") {
  GatherRule rule(milliseconds(1));
  TimePoint now = kStart;
  for (int count = 0; count < 10; ++count) {
    CHECK(rule.patience(now) == Duration::zero());
    rule.published(1, now);
    now += microseconds(100);
  }
}

TEST_CASE("Where several came together, and soon after that more, they wait for each other") {
  GatherRule rule(milliseconds(1));
  rule.published(2, kStart);
  CHECK(rule.patience(kStart + microseconds(999)) == milliseconds(1));
  CHECK(rule.patience(kStart + milliseconds(1)) == Duration::zero());
}

TEST_CASE("The crowd is over when a command has come alone") {
  GatherRule rule(milliseconds(1));
  rule.published(50, kStart);
  rule.published(1, kStart + microseconds(100));
  CHECK(rule.patience(kStart + microseconds(200)) == Duration::zero());
}

TEST_CASE("Without a store nothing waits") {
  GatherRule rule(Duration::zero());
  rule.published(50, kStart);
  CHECK(rule.patience(kStart) == Duration::zero());
}

}  // namespace
}  // namespace syncrelay
