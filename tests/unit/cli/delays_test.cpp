#include "syncrelay/cli/delays.h"

#include <doctest/doctest.h>

namespace syncrelay {
namespace {

using std::chrono::nanoseconds;

double part_of(nanoseconds found, nanoseconds exact) {
  return static_cast<double>(found.count()) / static_cast<double>(exact.count());
}

TEST_CASE("Delays tell within which time a part of them stayed, within a thirtieth") {
  Delays delays;
  CHECK(delays.count() == 0);
  CHECK(delays.within(0.5) == nanoseconds(0));
  for (int n = 1; n <= 100'000; ++n) delays.add(nanoseconds(n * 1000));
  CHECK(delays.count() == 100'000);
  for (const double part : {0.01, 0.5, 0.9, 0.99, 0.999}) {
    const double found = part_of(delays.within(part), nanoseconds(static_cast<int>(part * 1e8)));
    CHECK(found >= 1.0);
    CHECK(found < 1.033);
  }
  CHECK(delays.within(1) == nanoseconds(100'000'000));
  CHECK(delays.most() == nanoseconds(100'000'000));
}

TEST_CASE("A delay may be nothing, less than nothing, or hours") {
  Delays delays;
  delays.add(nanoseconds(-5));
  delays.add(nanoseconds(0));
  delays.add(nanoseconds(31));
  delays.add(std::chrono::hours(10'000));
  CHECK(delays.within(0.5) == nanoseconds(0));
  CHECK(delays.within(0.75) == nanoseconds(31));
  CHECK(delays.within(1) == std::chrono::hours(10'000));
  delays.add(nanoseconds::max());
  CHECK(delays.most() == nanoseconds::max());
  CHECK(delays.within(1) == nanoseconds::max());
}

}  // namespace
}  // namespace syncrelay
