#include "syncrelay/base/line_budget.h"

#include <doctest/doctest.h>

namespace syncrelay {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// How many of so many lines are allowed at this moment.
int allowed(LineBudget& budget, TimePoint now, int lines) {
  std::uint64_t untold = 0;
  int count = 0;
  for (; lines > 0; --lines) count += budget.allows(now, untold) ? 1 : 0;
  return count;
}

TEST_CASE("So many lines are allowed at once, and so many a second from then on") {
  const TimePoint start{seconds(100)};
  LineBudget budget({2, 10}, start);
  CHECK(allowed(budget, start, 100) == 10);
  CHECK(allowed(budget, start + milliseconds(499), 100) == 0);
  CHECK(allowed(budget, start + milliseconds(500), 100) == 1);
  CHECK(allowed(budget, start + milliseconds(5500), 100) == 10);
  CHECK(allowed(budget, start + seconds(1000), 100) == 10);
}

TEST_CASE("The next line that is allowed tells how many were not") {
  const TimePoint start{seconds(100)};
  LineBudget budget({1, 2}, start);
  allowed(budget, start, 7);
  std::uint64_t untold = 0;
  REQUIRE(budget.allows(start + seconds(1), untold));
  CHECK(untold == 5);
  REQUIRE(budget.allows(start + seconds(2), untold));
  CHECK(untold == 0);
}

}  // namespace
}  // namespace syncrelay
