#include "syncrelay/relay/receivers.h"

#include <doctest/doctest.h>

#include <chrono>

namespace syncrelay {
namespace {

using std::chrono::milliseconds;

constexpr TimePoint kNow{std::chrono::hours(1)};

WorkerWish waiting(int ms) {
  return {{}, 1, milliseconds(ms), milliseconds(1000)};
}

TEST_CASE("Who waits longest is first, whenever his time is over") {
  Receivers receivers(10);
  REQUIRE(receivers.add(1, waiting(300), kNow));
  REQUIRE(receivers.add(2, waiting(100), kNow));
  REQUIRE(receivers.add(3, waiting(200), kNow));
  CHECK(receivers.next_end() == kNow + milliseconds(100));
  CHECK(receivers.take_first().ticket == 1);
  CHECK(receivers.take_first().ticket == 2);
  CHECK(receivers.next_end() == kNow + milliseconds(200));
  CHECK(receivers.take_first().ticket == 3);
  CHECK(receivers.empty());
  CHECK_FALSE(receivers.next_end().has_value());
}

TEST_CASE("Whose time is over waits no more") {
  Receivers receivers(10);
  REQUIRE(receivers.add(1, waiting(300), kNow));
  REQUIRE(receivers.add(2, waiting(100), kNow));
  REQUIRE(receivers.add(3, waiting(0), kNow));
  CHECK(receivers.take_expired(kNow)->ticket == 3);
  CHECK_FALSE(receivers.take_expired(kNow).has_value());
  CHECK(receivers.take_expired(kNow + milliseconds(100))->ticket == 2);
  CHECK_FALSE(receivers.take_expired(kNow + milliseconds(299)).has_value());
  CHECK(receivers.take_first().ticket == 1);
  CHECK_FALSE(receivers.take_expired(kNow + milliseconds(300)).has_value());
}

TEST_CASE("Only so many wait; a place is free again when one does not") {
  Receivers receivers(2);
  REQUIRE(receivers.add(1, waiting(300), kNow));
  REQUIRE(receivers.add(2, waiting(300), kNow));
  CHECK_FALSE(receivers.add(3, waiting(300), kNow));
  receivers.take_first();
  CHECK(receivers.add(3, waiting(300), kNow));
}

}  // namespace
}  // namespace syncrelay
