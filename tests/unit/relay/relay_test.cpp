#include "syncrelay/relay/relay.h"

#include <doctest/doctest.h>

#include <chrono>

#include "support/test_relay.h"
#include "syncrelay/channel/replica.h"

namespace syncrelay {
namespace {

using testing::TestRelay;
using testing::text_of;

// The one update that the command makes.
Update update_of(TestRelay& relay, std::string_view json) {
  const auto applied = relay.send(json);
  REQUIRE_MESSAGE(applied.ok(), applied.error().detail);
  const std::vector<Update> updates = relay.take_updates();
  REQUIRE(updates.size() == 1);
  return updates.front();
}

// The state as a new client would see it.
class StateView {
 public:
  explicit StateView(TestRelay& relay) : relay_(relay) {}

  std::string value(const std::string& key) {
    for (const Update& update : relay_.take_updates()) replica_.apply(update);
    const StateValue* found = replica_.default_channel().state.find(key);
    return found == nullptr ? "absent" : **found;
  }

 private:
  TestRelay& relay_;
  Replica replica_{{"comparison", "radio"}, {1 << 20, 1000}};
};

constexpr const char* kTime = R"(,"ts":1763838000.123456)";

TEST_CASE("A broadcast becomes an event with data, time and seq") {
  TestRelay relay;
  const Update update =
      update_of(relay, R"({"op":"broadcast","type":"radio:started","data":{"track":7}})");
  CHECK(text_of(update) ==
        R"({"type":"radio:started","data":{"track":7})" + std::string(kTime) + R"(,"seq":1})");
  CHECK(update.seq == Seq{1});
  CHECK(update.accepted == relay.clock.now());
  CHECK_FALSE(update.changes);
}

TEST_CASE("Data and type pass byte for byte") {
  TestRelay relay;
  const Update update =
      update_of(relay, R"({"op":"broadcast","data": { "b" : 1.50 } ,"type":"\u0061\/"})");
  CHECK(text_of(update) ==
        R"({"type":"\u0061\/","data":{ "b" : 1.50 })" + std::string(kTime) + R"(,"seq":1})");
}

TEST_CASE("Seq grows by one with each event and with nothing else") {
  TestRelay relay;
  CHECK(relay.send(R"({"op":"broadcast","type":"t"})").value().seq() == Seq{1});
  CHECK(relay.send(R"({"op":"set","notify":false,"key":"radio","value":1})").value().seq() ==
        Seq{1});
  CHECK_FALSE(relay.send(R"({"op":"broadcast","type":"ping"})").ok());
  CHECK(relay.send(R"({"op":"delete","key":"radio","notify":true})").value().seq() == Seq{2});
  CHECK(relay.send(R"({"op":"merge","notify":false,"key":"radio","value":1})").value().seq() ==
        Seq{2});
  CHECK(relay.send(R"({"op":"broadcast","type":"t"})").value().seq() == Seq{3});
  relay.take_updates();
  CHECK(relay.stats.events.get() == 3);
  CHECK(relay.stats.seq.get() == 3);
}

TEST_CASE("The time of an event is that of its acceptance") {
  TestRelay relay;
  REQUIRE(relay.send(R"({"op":"broadcast","type":"t"})").ok());
  relay.clock.advance(std::chrono::microseconds(1));
  REQUIRE(relay.send(R"({"op":"broadcast","type":"t"})").ok());
  const auto updates = relay.take_updates();
  REQUIRE(updates.size() == 2);
  CHECK(text_of(updates[0]).find("1763838000.123456") != std::string::npos);
  CHECK(text_of(updates[1]).find("1763838000.123457") != std::string::npos);
  CHECK(updates[1].accepted - updates[0].accepted == std::chrono::microseconds(1));
}

TEST_CASE("Set, merge and delete change the state and send nothing") {
  TestRelay relay;
  StateView state(relay);
  CHECK_FALSE(update_of(relay, R"({"op":"set","notify":false,"key":"other","value":0})").chunk);
  REQUIRE(relay.send(R"({"op":"set","notify":false,"key":"radio","value":{ "a" : 1.0 }})").ok());
  CHECK(state.value("radio") == R"({ "a" : 1.0 })");
  REQUIRE(relay.send(R"({"op":"merge","notify":false,"key":"radio","value":{"b":2}})").ok());
  CHECK(state.value("radio") == R"({"a":1.0,"b":2})");
  REQUIRE(
      relay.send(R"({"op":"merge","notify":false,"key":"fresh","value":{"b":2,"c":null}})").ok());
  CHECK(state.value("fresh") == R"({"b":2})");
  REQUIRE(relay.send(R"({"op":"delete","notify":false,"key":"radio"})").ok());
  CHECK(state.value("radio") == "null");
  REQUIRE(relay.send(R"({"op":"delete","notify":false,"key":"fresh"})").ok());
  CHECK(state.value("fresh") == "absent");
  CHECK(relay.stats.events.get() == 0);
}

TEST_CASE("A delete of a key that is not there does nothing") {
  TestRelay relay;
  REQUIRE(relay.send(R"({"op":"delete","notify":false,"key":"never"})").ok());
  CHECK(relay.take_updates().empty());
}

TEST_CASE("A change is told as an event of its own") {
  TestRelay relay;
  const std::string end = kTime;
  CHECK(text_of(update_of(relay, R"({"op":"set","key":"k\u0022","value":[ 1 ]})")) ==
        R"({"type":"sync:set","data":{"k\"":[ 1 ]})" + end + R"(,"seq":1})");
  CHECK(text_of(update_of(relay, R"({"op":"merge","key":"radio","value":{ "a":null }})")) ==
        R"({"type":"sync:merge","data":{"radio":{ "a":null }})" + end + R"(,"seq":2})");
  CHECK(text_of(update_of(relay, R"({"op":"delete","key":"radio","notify":true})")) ==
        R"({"type":"sync:set","data":{"radio":null})" + end + R"(,"seq":3})");
  CHECK(text_of(update_of(relay, R"({"op":"delete","key":"k\"","notify":true})")) ==
        R"({"type":"sync:delete","data":["k\""])" + end + R"(,"seq":4})");
}

TEST_CASE("Change and event of one command are one update") {
  TestRelay relay;
  const Update told = update_of(relay, R"({"op":"set","key":"radio","value":1,"notify":true})");
  REQUIRE(told.changes);
  CHECK(told.changes->front().key == "radio");
  CHECK(*told.changes->front().value == "1");
  const Update both =
      update_of(relay, R"({"op":"broadcast","notify":false,"type":"t","set":{"radio":2,"x":[]}})");
  REQUIRE(both.changes);
  CHECK(both.changes->size() == 2);
  CHECK(text_of(both) == R"({"type":"t","data":null)" + std::string(kTime) + R"(,"seq":2})");
}

TEST_CASE("A broadcast with set carries the change beside its data") {
  TestRelay relay;
  const Update update =
      update_of(relay, R"({"op":"broadcast","type":"t","data":1,"set":{ "radio" : 2 }})");
  CHECK(text_of(update) ==
        R"({"type":"t","data":1,"set":{ "radio" : 2 })" + std::string(kTime) + R"(,"seq":1})");
}

TEST_CASE("Notify of a broadcast without set changes nothing in it") {
  TestRelay relay;
  const Update update = update_of(relay, R"({"op":"broadcast","type":"t","data":1,"notify":true})");
  CHECK(text_of(update) == R"({"type":"t","data":1)" + std::string(kTime) + R"(,"seq":1})");
}

TEST_CASE("Every shard gets the same updates") {
  testing::FakeClock clock;
  RelayStats stats;
  Mailbox<Letter> first({100, 1 << 20}, [] {});
  Mailbox<Letter> second({100, 1 << 20}, [] {});
  Relay relay(testing::relay_settings(), clock, {&first, &second}, stats, nullptr);
  CommandDecoder decoder(1 << 20);
  for (int count = 0; count < 3; ++count) {
    REQUIRE(relay.apply(*decoder.decode(R"({"op":"broadcast","type":"t"})").value(), {clock.wall()})
                .ok());
  }
  std::vector<Letter> left;
  std::vector<Letter> right;
  first.take(left);
  CHECK(left.empty());  // not before publish()
  REQUIRE(relay.publish().ok());
  first.take(left);
  second.take(right);
  REQUIRE(left.size() == 3);
  REQUIRE(right.size() == 3);
  for (std::size_t index = 0; index < 3; ++index) {
    const Update& one = std::get<Update>(left[index]);
    const Update& other = std::get<Update>(right[index]);
    CHECK(one.chunk == other.chunk);
    CHECK(one.position == other.position);
    CHECK(one.seq == other.seq);
  }
}

TEST_CASE("A batch is full at 256 updates or one megabyte, and empty after publish") {
  TestRelay relay;
  CHECK_FALSE(relay.relay.batch_full());
  for (int count = 0; count < 255; ++count)
    REQUIRE(relay.send(R"({"op":"broadcast","type":"t"})").ok());
  CHECK_FALSE(relay.relay.batch_full());
  REQUIRE(relay.send(R"({"op":"set","notify":false,"key":"k","value":1})").ok());
  CHECK(relay.relay.batch_full());
  relay.take_updates();
  CHECK_FALSE(relay.relay.batch_full());
  REQUIRE(relay
              .send(R"({"op":"set","notify":false,"key":"k","value":")" +
                    std::string(1 << 20, 'x') + "\"}")
              .ok());
  CHECK(relay.relay.batch_full());
  relay.take_updates();
  CHECK_FALSE(relay.relay.batch_full());
}

TEST_CASE("A barrier does nothing, has the position before it, and is not counted") {
  TestRelay relay;
  REQUIRE(relay.send(R"({"op":"broadcast","type":"t"})").ok());
  relay.take_updates();
  const auto barrier = relay.send(R"({"op":"barrier"})");
  REQUIRE(barrier.ok());
  CHECK(barrier.value().seq() == Seq{1});
  CHECK_FALSE(barrier.value().duplicate);
  CHECK(relay.take_updates().empty());
  CHECK(relay.stats.state_keys.get() == 2);
  for (const Op op : {Op::set, Op::merge, Op::remove, Op::barrier})
    CHECK(counter(relay.stats.commands, op).get() == 0);
  CHECK(counter(relay.stats.commands, Op::broadcast).get() == 1);
}

TEST_CASE("A barrier with an id that was there is a duplicate with the first one's position") {
  TestRelay relay;
  REQUIRE_FALSE(relay.send(R"({"op":"barrier","id":"b"})").value().duplicate);
  REQUIRE(relay.send(R"({"op":"broadcast","type":"t"})").ok());
  const auto again = relay.send(R"({"op":"barrier","id":"b"})");
  CHECK(again.value().duplicate);
  CHECK(again.value().seq() == Seq{0});
  relay.take_updates();
  CHECK(relay.stats.ids.get() == 1);
}

TEST_CASE("The counters tell what was done") {
  TestRelay relay;
  CHECK(relay.stats.state_keys.get() == 2);
  CHECK(relay.stats.state_bytes.get() == std::string("comparisonnullradionull").size());
  for (const char* command :
       {R"({"op":"set","notify":false,"key":"k","value":"12345"})",
        R"({"op":"merge","notify":false,"key":"radio","value":1})",
        R"({"op":"delete","notify":false,"key":"nothing"})",
        R"({"op":"broadcast","notify":false,"type":"t","set":{"comparison":[]}})"}) {
    REQUIRE(relay.send(command).ok());
  }
  relay.take_updates();
  for (const Op op : {Op::set, Op::merge, Op::remove, Op::broadcast})
    CHECK(counter(relay.stats.commands, op).get() == 1);
  CHECK(relay.stats.state_keys.get() == 3);
  CHECK(relay.stats.state_bytes.get() == std::string("comparison[]radio1k\"12345\"").size());
}

// A relay with 36 bytes and four keys to spend; the two configured keys take 23 of the bytes.
struct TightRelay {
  TightRelay()
      : relay({{{"comparison", "radio"}, 36, 4}, {1 << 20, 1000}, {10, std::chrono::seconds(1)}}) {}
  TestRelay relay;
};

void check_full(TestRelay& relay, std::string_view json) {
  relay.take_updates();
  const std::uint64_t bytes = relay.stats.state_bytes.get();
  const auto applied = relay.send(json);
  REQUIRE_FALSE(applied.ok());
  CHECK(applied.error().reason == RejectReason::state_full);
  CHECK(relay.take_updates().empty());
  CHECK(relay.stats.state_bytes.get() == bytes);
}

TEST_CASE_FIXTURE(TightRelay, "State may grow to its limit in bytes and no further") {
  StateView state(relay);
  REQUIRE(relay.send(R"({"op":"set","notify":false,"key":"k","value":123456789012})").ok());
  CHECK(state.value("k") == "123456789012");
  CHECK(relay.stats.state_bytes.get() == 36);
  check_full(relay, R"({"op":"set","notify":false,"key":"k","value":1234567890123})");
  check_full(relay, R"({"op":"set","notify":false,"key":"x","value":1})");
  check_full(relay, R"({"op":"merge","notify":false,"key":"radio","value":{"a":1}})");
  check_full(relay, R"({"op":"broadcast","type":"t","set":{"x":1}})");
  check_full(relay, R"({"op":"set","key":"radio","value":12345,"notify":true})");
  CHECK(state.value("k") == "123456789012");
  CHECK(relay.stats.seq.get() == 0);
}

TEST_CASE_FIXTURE(TightRelay, "A change that makes a full state smaller is taken") {
  REQUIRE(relay.send(R"({"op":"set","notify":false,"key":"k","value":123456789012})").ok());
  CHECK(relay.send(R"({"op":"set","notify":false,"key":"k","value":12345678901})").ok());
  CHECK(relay.send(R"({"op":"broadcast","notify":false,"type":"t","set":{"k":1,"x":2}})").ok());
  CHECK(relay.send(R"({"op":"delete","notify":false,"key":"k"})").ok());
}

TEST_CASE_FIXTURE(TightRelay, "State may grow to its limit in keys and no further") {
  StateView state(relay);
  REQUIRE(relay.send(R"({"op":"broadcast","notify":false,"type":"t","set":{"a":1,"b":2}})").ok());
  CHECK(state.value("a") == "1");
  check_full(relay, R"({"op":"set","notify":false,"key":"c","value":1})");
  check_full(relay, R"({"op":"broadcast","notify":false,"type":"t","set":{"a":1,"c":1}})");
  CHECK(relay.send(R"({"op":"set","notify":false,"key":"a","value":5})").ok());
  CHECK(relay.send(R"({"op":"delete","notify":false,"key":"b"})").ok());
  CHECK(relay.send(R"({"op":"set","notify":false,"key":"c","value":1})").ok());
  CHECK(state.value("c") == "1");
}

TEST_CASE_FIXTURE(TightRelay, "A refused broadcast sends no event") {
  check_full(
      relay,
      R"({"op":"broadcast","notify":false,"type":"t","data":1,"set":{"radio":1,"x":"too large for it"}})");
  StateView state(relay);
  CHECK(state.value("radio") == "null");
  CHECK(relay.stats.events.get() == 0);
}

}  // namespace
}  // namespace syncrelay
