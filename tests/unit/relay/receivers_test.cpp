#include "syncrelay/relay/receivers.h"

#include <doctest/doctest.h>

#include <chrono>

namespace syncrelay {
namespace {

using std::chrono::milliseconds;

constexpr TimePoint kNow{std::chrono::hours(1)};

WorkerEvents only(WorkerEvent event) {
  return WorkerEvents().add(event);
}
const WorkerEvents kMessages = only(WorkerEvent::message);

WorkerWish waiting(int ms, WorkerEvents events = kMessages) {
  return {{}, 1, milliseconds(ms), milliseconds(1000), events};
}

TEST_CASE("Who waits longest is first, whenever his time is over") {
  Receivers receivers(10);
  REQUIRE(receivers.add(1, waiting(300), kNow));
  REQUIRE(receivers.add(2, waiting(100), kNow));
  REQUIRE(receivers.add(3, waiting(200), kNow));
  CHECK(receivers.next_end() == kNow + milliseconds(100));
  CHECK(receivers.take_first(kMessages)->ticket == 1);
  CHECK(receivers.take_first(kMessages)->ticket == 2);
  CHECK(receivers.next_end() == kNow + milliseconds(200));
  CHECK(receivers.take_first(kMessages)->ticket == 3);
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
  CHECK(receivers.take_first(kMessages)->ticket == 1);
  CHECK_FALSE(receivers.take_expired(kNow + milliseconds(300)).has_value());
}

TEST_CASE("Who waits for something else is passed over") {
  Receivers receivers(10);
  CHECK(receivers.asked().empty());
  const WorkerEvents left = only(WorkerEvent::left);
  REQUIRE(receivers.add(1, waiting(300, left), kNow));
  REQUIRE(receivers.add(2, waiting(300), kNow));
  REQUIRE(receivers.add(3, waiting(300, WorkerEvents(left).add(WorkerEvent::message)), kNow));
  CHECK(receivers.asked() == WorkerEvents(kMessages).add(WorkerEvent::left));
  CHECK_FALSE(receivers.take_first(only(WorkerEvent::joined)));
  CHECK_FALSE(receivers.take_first({}));
  CHECK(receivers.take_first(kMessages)->ticket == 2);
  CHECK(receivers.take_first(kMessages)->ticket == 3);
  CHECK(receivers.asked() == left);
  CHECK(receivers.take_first(WorkerEvents(kMessages).add(WorkerEvent::left))->ticket == 1);
  CHECK(receivers.empty());
  CHECK(receivers.asked().empty());
}

TEST_CASE("Who is gone waits no more") {
  Receivers receivers(3);
  for (const Ticket ticket : {1, 2, 3}) REQUIRE(receivers.add(ticket, waiting(300), kNow));
  receivers.remove_if([](Ticket ticket) { return ticket != 2; });
  CHECK(receivers.next_end() == kNow + milliseconds(300));
  REQUIRE(receivers.add(4, waiting(300), kNow));
  CHECK(receivers.take_first(kMessages)->ticket == 2);
  CHECK(receivers.take_first(kMessages)->ticket == 4);
  CHECK(receivers.empty());
}

TEST_CASE("Only so many wait; a place is free again when one does not") {
  Receivers receivers(2);
  REQUIRE(receivers.add(1, waiting(300), kNow));
  REQUIRE(receivers.add(2, waiting(300), kNow));
  CHECK_FALSE(receivers.add(3, waiting(300), kNow));
  CHECK(receivers.take_first(kMessages));
  CHECK(receivers.add(3, waiting(300), kNow));
}

}  // namespace
}  // namespace syncrelay
