#include <doctest/doctest.h>

#include "syncrelay/base/counter.h"

namespace syncrelay {
namespace {

TEST_CASE("A counter adds, subtracts and is set") {
  Counter counter;
  counter.add();
  counter.add(10);
  counter.subtract(3);
  CHECK(counter.get() == 8);
  counter.set(2);
  counter.subtract();
  CHECK(counter.get() == 1);
}

TEST_CASE("A duration falls into the first bucket whose bound it does not exceed") {
  constexpr std::size_t kBuckets = LatencyHistogram::kBounds.size();
  for (std::size_t bound = 0; bound < kBuckets; ++bound) {
    LatencyHistogram histogram;
    histogram.observe(LatencyHistogram::kBounds[bound]);
    histogram.observe(LatencyHistogram::kBounds[bound] + 1);
    CHECK(histogram.bucket(bound) == 1);
    CHECK(histogram.bucket(bound + 1) == 1);
  }
  LatencyHistogram histogram;
  histogram.observe(0);
  histogram.observe(UINT64_MAX / 2);
  CHECK(histogram.bucket(0) == 1);
  CHECK(histogram.bucket(kBuckets) == 1);
}

TEST_CASE("An observation may count several times") {
  LatencyHistogram histogram;
  histogram.observe(60, 5);
  histogram.observe(1);
  CHECK(histogram.bucket(1) == 5);
  CHECK(histogram.sum_microseconds() == 301);
}

TEST_CASE("The bounds rise") {
  for (std::size_t index = 1; index < LatencyHistogram::kBounds.size(); ++index) {
    CHECK(LatencyHistogram::kBounds[index - 1] < LatencyHistogram::kBounds[index]);
  }
}

}  // namespace
}  // namespace syncrelay
