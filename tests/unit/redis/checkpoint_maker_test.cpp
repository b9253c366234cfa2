#include "syncrelay/redis/checkpoint_maker.h"

#include <doctest/doctest.h>

#include <chrono>
#include <future>
#include <memory>
#include <string>
#include <utility>

namespace syncrelay {
namespace {

constexpr std::chrono::seconds kDeadline{20};

bool done() {
  return false;
}

TEST_CASE("a checkpoint is made apart, and what it held is let go of by its user") {
  std::promise<std::pair<std::uint64_t, std::string>> made;
  CheckpointMaker maker([&](std::uint64_t number, std::string state) {
    made.set_value({number, std::move(state)});
  });
  auto held = std::make_shared<const std::string>("state");
  std::weak_ptr<const std::string> watched = held;
  int steps = 2;
  maker.make(7, {[held = std::exchange(held, nullptr)] { return *held; },
                 [&steps] { return --steps > 0; }});
  auto told = made.get_future();
  REQUIRE(told.wait_for(kDeadline) == std::future_status::ready);
  CHECK(told.get() == std::pair<std::uint64_t, std::string>(7, "state"));
  CHECK(!watched.expired());
  CHECK(maker.let_go());
  CHECK(!watched.expired());
  CHECK(!maker.let_go());
  CHECK(watched.expired());
}

TEST_CASE("of checkpoints that wait for another one only the newest is made") {
  std::promise<void> begun, go_on, last;
  std::string numbers;
  CheckpointMaker maker([&](std::uint64_t number, const std::string&) {
    numbers += std::to_string(number);
    if (number == 3) last.set_value();
  });
  maker.make(1, {[&] {
                   begun.set_value();
                   go_on.get_future().wait();
                   return std::string();
                 },
                 done});
  REQUIRE(begun.get_future().wait_for(kDeadline) == std::future_status::ready);
  maker.make(2, {[] { return std::string(); }, done});
  maker.make(3, {[] { return std::string(); }, done});
  go_on.set_value();
  REQUIRE(last.get_future().wait_for(kDeadline) == std::future_status::ready);
  maker.stop();
  CHECK(numbers == "13");
}

TEST_CASE("one that is stopped has made what it had begun, and makes no more") {
  std::promise<void> begun;
  int made = 0;
  CheckpointMaker maker([&](std::uint64_t, const std::string&) { ++made; });
  maker.make(1, {[&] {
                   begun.set_value();
                   return std::string();
                 },
                 done});
  REQUIRE(begun.get_future().wait_for(kDeadline) == std::future_status::ready);
  maker.stop();
  maker.make(2, {[] { return std::string(); }, done});
  maker.stop();
  CHECK(made == 1);
}

}  // namespace
}  // namespace syncrelay
