#include "syncrelay/redis/redis_order.h"

#include <doctest/doctest.h>

#include <deque>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "support/letters.h"

namespace syncrelay {
namespace {

constexpr NodeId kOne{1};
constexpr NodeId kOther{2};

Order::Letter arrive(const std::string& id, RelayId home) {
  return Arrive{"room", id, std::make_shared<const std::string>("{}"), {}, home};
}

std::string framed(const Order::Letter& letter) {
  LetterWriter writer;
  writer.add(letter);
  std::string frame;
  for (std::size_t index = 0; index < 4; ++index)
    frame += static_cast<char>(writer.bytes().size() >> (8 * index) & 0xff);
  return frame + writer.bytes();
}

std::vector<std::string> told(RedisOrder& order) {
  std::vector<std::string> told;
  while (const Order::Ordered* const ordered = order.next()) {
    const std::int64_t ts = ordered->moment.ts.microseconds;
    told.push_back(std::to_string(ts) + ' ' + testing::letter_text(ordered->letter));
  }
  return told;
}

TEST_CASE("letters of the log come in its order, with its times") {
  const std::string two = framed(Order::Commanded{R"({"op":"barrier"})", nullptr, 9}) +
                          framed(Expire{"c", "k", 5, true});
  RedisOrder order({LettersCame{{1000, 0}, kOne, 0, two}, RelayGone{{2000, 0}, kOther},
                    LettersCame{{2000, 7}, kOther, 0, framed(arrive("ada", kOther.value))}});
  CHECK(told(order) == std::vector<std::string>{R"(1000000 command {"op":"barrier"})",
                                                "1000000 expire c|k 5 1", "2000000 gone 2",
                                                "2000007 arrive room|ada|{} 0 0 2"});
  CHECK(order.newest().microseconds == 2'000'007);
  CHECK(!order.has_ended());
}

TEST_CASE("nobody arrives at a relay that has not said so itself") {
  RedisOrder order({LettersCame{{1000, 0}, kOne, 0, framed(arrive("ada", kOther.value))},
                    LettersCame{{1001, 0}, kOne, 0, framed(arrive("bob", kOne.value))}});
  CHECK(told(order) == std::vector<std::string>{"1001000 arrive room|bob|{} 0 0 1"});
}

TEST_CASE("an order ends where the log goes on under another epoch, or with another state") {
  const LettersCame behind{{1002, 0}, kOne, 0, framed(Expire{})};
  for (const ClusterEvent& event : std::vector<ClusterEvent>{
           EpochFounded{{1001, 0}, "e"}, StateLoaded{{1001, 0}, "e", "", 0}, LogFailed{"why"}}) {
    RedisOrder order({LettersCame{{1000, 0}, kOne, 0, framed(Expire{})}, event, behind});
    CHECK(told(order).size() == 1);
    REQUIRE(order.has_ended());
    CHECK(order.has_ended()->begins_anew == !std::holds_alternative<LogFailed>(event));
    CHECK(order.room() == Order::Room::none);
  }
}

TEST_CASE("an order ends at what it cannot read") {
  for (const std::string& data : {std::string("x"), std::string("\5\0\0\0x", 5),
                                  std::string("\1\0\0\0\xff", 5), framed(Expire{}) + "abc"}) {
    RedisOrder order({LettersCame{{1000, 0}, kOne, 0, data}});
    CHECK(told(order).size() <= 1);
    REQUIRE(order.has_ended());
    CHECK(!order.has_ended()->begins_anew);
  }
}

}  // namespace
}  // namespace syncrelay
