#include "syncrelay/metrics/cluster_lag.h"

#include <doctest/doctest.h>

#include <chrono>

namespace syncrelay {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

const TimePoint kStart{std::chrono::hours(5)};

TEST_CASE("Who has applied what it was told, and hears that there is no more, does not lag") {
  ClusterLag lag;
  lag.begin(kStart);
  CHECK(lag.at(kStart + seconds(1)) == Duration::zero());
  lag.tell(kStart + seconds(1));
  lag.apply();
  lag.heard_all(kStart + seconds(1));
  CHECK(lag.at(kStart + seconds(2)) == Duration::zero());
}

TEST_CASE("Silence is a lag once it is longer than the reader ever waits") {
  ClusterLag lag;
  lag.begin(kStart);
  CHECK(lag.at(kStart + ClusterLag::kSilence) == Duration::zero());
  CHECK(lag.at(kStart + seconds(60)) == seconds(60));
  lag.heard_all(kStart + seconds(60));
  CHECK(lag.at(kStart + seconds(60)) == Duration::zero());
}

TEST_CASE("What is not applied lags from when it was told, however long nothing came before") {
  ClusterLag lag;
  lag.begin(kStart);
  lag.tell(kStart);
  lag.apply();
  const TimePoint later = kStart + std::chrono::hours(1);
  lag.heard_all(later);
  lag.tell(later);
  CHECK(lag.at(later + milliseconds(3)) == milliseconds(3));
  lag.apply();
  CHECK(lag.at(later + milliseconds(4)) == Duration::zero());
}

TEST_CASE("Who stops in the middle of what it was told lags, and who keeps up does not") {
  ClusterLag lag;
  lag.begin(kStart);
  for (int count = 0; count < 10; ++count) lag.tell(kStart);
  lag.apply(5);
  lag.heard_all(kStart + seconds(10));
  CHECK(lag.at(kStart + seconds(10)) == seconds(10));
  lag.apply(5);
  CHECK(lag.at(kStart + seconds(10)) == Duration::zero());
  for (int count = 0; count < 100; ++count) {
    const TimePoint now = kStart + seconds(10) + milliseconds(count);
    lag.tell(now);
    CHECK(lag.at(now) <= milliseconds(2));
    if (count > 0) lag.apply();
  }
}

TEST_CASE("A reader that begins anew has nothing to do with what another one told") {
  ClusterLag lag;
  lag.begin(kStart);
  lag.tell(kStart);
  lag.begin(kStart + seconds(5));
  CHECK(lag.at(kStart + seconds(5)) == Duration::zero());
}

}  // namespace
}  // namespace syncrelay
