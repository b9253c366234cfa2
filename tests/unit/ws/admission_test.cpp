#include "syncrelay/ws/admission.h"

#include <doctest/doctest.h>

#include <optional>
#include <thread>
#include <vector>

namespace syncrelay {
namespace {

using Seat = Admission::Seat;

std::optional<Seat> enter(Admission& admission, const char* address) {
  Result<Seat, RefusalReason> seat = admission.enter(address);
  if (!seat) return std::nullopt;
  return std::move(seat).value();
}

RefusalReason refusal(Admission& admission, const char* address) {
  const Result<Seat, RefusalReason> seat = admission.enter(address);
  REQUIRE_FALSE(seat);
  return seat.error();
}

TEST_CASE("As many clients enter as there are places, and who leaves makes room") {
  Admission admission({2, 0});
  std::optional<Seat> first = enter(admission, "a");
  const std::optional<Seat> second = enter(admission, "a");
  CHECK((first && second));
  CHECK(refusal(admission, "b") == RefusalReason::max_clients);
  CHECK(refusal(admission, "b") == RefusalReason::max_clients);
  first.reset();
  const std::optional<Seat> third = enter(admission, "b");
  CHECK(third);
  CHECK(refusal(admission, "c") == RefusalReason::max_clients);
}

TEST_CASE("An address has places of its own") {
  Admission admission({10, 2});
  std::optional<Seat> first = enter(admission, "a");
  const std::optional<Seat> second = enter(admission, "a");
  CHECK(refusal(admission, "a") == RefusalReason::max_clients_per_address);
  const std::optional<Seat> other = enter(admission, "b");
  CHECK(other);
  first.reset();
  const std::optional<Seat> again = enter(admission, "a");
  CHECK(again);
  CHECK(refusal(admission, "a") == RefusalReason::max_clients_per_address);
}

TEST_CASE("A refusal for the address takes no place from others") {
  Admission admission({2, 1});
  const std::optional<Seat> first = enter(admission, "a");
  for (int count = 0; count < 10; ++count)
    CHECK(refusal(admission, "a") == RefusalReason::max_clients_per_address);
  const std::optional<Seat> second = enter(admission, "b");
  CHECK(second);
  CHECK(refusal(admission, "c") == RefusalReason::max_clients);
}

TEST_CASE("A place is given back once, however often its seat changes hands") {
  Admission admission({2, 2});
  {
    std::optional<Seat> seat = enter(admission, "a");
    Seat moved(std::move(*seat));
    const Seat again(std::move(moved));
    CHECK(admission.clients() == 1);
  }
  CHECK(admission.clients() == 0);
}

TEST_CASE("Ids are small and never given twice") {
  Admission admission({2, 0});
  CHECK(enter(admission, "a")->id().value == 1);
  CHECK(enter(admission, "a")->id().value == 2);
  CHECK(enter(admission, "b")->id().value == 3);
}

TEST_CASE("Shards enter and leave at once without losing count") {
  Admission admission({1000, 1000});
  std::vector<std::thread> shards;
  for (int shard = 0; shard < 4; ++shard) {
    shards.emplace_back([&admission] {
      for (int round = 0; round < 1000; ++round) CHECK(enter(admission, "a"));
    });
  }
  for (std::thread& shard : shards) shard.join();
  CHECK(admission.clients() == 0);
}

}  // namespace
}  // namespace syncrelay
