#include <doctest/doctest.h>

#include <chrono>
#include <string>
#include <vector>

#include "support/memory_store.h"
#include "support/test_relay.h"

namespace syncrelay {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::MemoryStore;
using testing::TestRelay;

constexpr const char* kRoom = R"({"op":"broadcast","type":"e","channel":"room"})";

struct StoredRelay {
  void send(std::string_view json) {
    const auto applied = relay.send(json);
    REQUIRE_MESSAGE(applied.ok(), applied.error().detail);
  }

  MemoryStore store;
  TestRelay relay{testing::relay_settings(), &store};
};

TEST_CASE("A step in several channels is one letter, and its parts lie one behind the other") {
  TestRelay relay;
  REQUIRE(relay
              .send(R"({"op":"batch","commands":[{"op":"set","key":"k","value":1,"notify":false},)"
                    R"({"op":"broadcast","type":"a","channels":["x","","y"]},)"
                    R"({"op":"drop","channel":"x"}]})")
              .ok());
  const std::vector<Update> updates = relay.take_updates();
  REQUIRE(updates.size() == 1);
  const Update& first = updates.front();
  CHECK_FALSE(first.chunk);
  CHECK(first.changes);
  REQUIRE(first.also);
  REQUIRE(first.also->size() == 4);
  std::uint64_t position = 0;
  for (std::size_t part = 0; part < 3; ++part) {
    CHECK((*first.also)[part].position == position);
    position += (*first.also)[part].size;
  }
  CHECK(text((*first.also)[0].channel) == "x");
  CHECK(text((*first.also)[1].channel).empty());
  CHECK((*first.also)[3].end == ChannelEnd::dropped);
  CHECK((*first.also)[3].seq == Seq{1});
  CHECK(relay.stats.events.get() == 3);
  CHECK(relay.stats.channels_dropped.get() == 1);
}

TEST_CASE("A batch that fails in its middle leaves no gap in the log") {
  TestRelay relay;
  REQUIRE(relay.send(kRoom).ok());
  const auto failed = relay.send(
      R"({"op":"batch","commands":[{"op":"broadcast","type":"e"},{"op":"broadcast","type":"e","channel":"new"},)"
      R"({"op":"set","key":"k","value":1,"ttl":5},{"op":"set","key":"k","value":1,"if":{"k":7}}]})");
  REQUIRE_FALSE(failed.ok());
  CHECK(failed.error().index == 3);
  REQUIRE(relay.send(kRoom).ok());
  const std::vector<Update> updates = relay.take_updates();
  REQUIRE(updates.size() == 2);
  CHECK(updates[1].position == updates[0].size);
  CHECK(updates[1].seq == Seq{2});
  CHECK(relay.stats.channels.get() == 2);
  CHECK_FALSE(relay.relay.next_expiry());
}

TEST_CASE("An event of a named channel says so behind its type") {
  TestRelay relay;
  REQUIRE(relay.send(kRoom).ok());
  CHECK(testing::text_of(relay.take_updates().front())
            .starts_with(R"({"type":"e","channel":"room","data":null,"ts":)"));
}

TEST_CASE("A batch is stored with all that a restart needs") {
  StoredRelay test;
  test.send(R"({"op":"set","key":"k","value":1,"channel":"room","ttl":2,"notify":false})");
  test.send(kRoom);
  test.send(kRoom);
  test.send(R"({"op":"broadcast","type":"e","channel":"gone","set":{"a":1}})");
  test.send(R"({"op":"drop","channel":"gone"})");
  test.send(R"({"op":"broadcast","type":"e"})");
  const WallTime wall = test.relay.clock.wall();
  test.relay.take_updates();
  const StoredHistory history = test.store.history();
  CHECK(history.last == Seq{1});
  CHECK(history.events_ever == 4);
  CHECK(history.version == 2);
  REQUIRE(history.channels.size() == 1);
  CHECK(history.channels[0].name == "room");
  CHECK(history.channels[0].last == Seq{2});
  CHECK(history.tombstones.last_of("gone") == Seq{2});
  CHECK(history.state.count("gone") == 0);
  const StoredValue& value = history.state.at("room").at("k");
  CHECK(value.version == 1);
  REQUIRE(value.expiry);
  CHECK(value.expiry->at.microseconds == wall.microseconds + 2'000'000);
  CHECK(value.expiry->after == milliseconds(2000));
  CHECK_FALSE(value.expiry->told);
}

TEST_CASE("A relay that begins again has all channels, and tells the shards of them") {
  StoredRelay before;
  before.send(R"({"op":"set","key":"k","value":1,"channel":"room"})");
  before.send(R"({"op":"broadcast","type":"e","channel":"gone"})");
  before.send(R"({"op":"drop","channel":"gone"})");
  before.send(R"({"op":"broadcast","type":"e"})");
  before.relay.take_updates();
  TestRelay after;
  const Restored restored = after.relay.restore(before.store.history());
  REQUIRE(restored.channels.size() == 1);
  CHECK(text(restored.channels[0].name) == "room");
  CHECK(restored.channels[0].last == Seq{1});
  CHECK(restored.tombstones.last_of("gone") == Seq{2});
  REQUIRE(restored.updates.size() == 3);
  CHECK(text(restored.updates[0].channel) == "room");
  CHECK(restored.updates[0].changes->front().version == 1);
  CHECK(text(restored.updates[1].channel) == "room");
  CHECK(restored.updates[1].chunk);
  CHECK(restored.updates[2].seq == Seq{1});
  REQUIRE(after.send(kRoom).ok());
  CHECK(after.take_updates().front().seq == Seq{2});
  REQUIRE(after.send(R"({"op":"set","key":"k","value":2,"channel":"room","if":{"k":1}})").ok());
  REQUIRE(after.send(R"({"op":"broadcast","type":"e","channel":"gone"})").ok());
  CHECK(after.take_updates().back().seq == Seq{3});
}

TEST_CASE("After a restart a key has the time that is left, never more than it was given") {
  const auto left = [](Duration by_the_clock) {
    TestRelay relay;
    StoredHistory history;
    const std::int64_t at =
        relay.clock.wall().microseconds +
        std::chrono::duration_cast<std::chrono::microseconds>(by_the_clock).count();
    history.state[""]["k"] = {std::make_shared<const std::string>("1"), 3,
                              Expiry{{at}, seconds(10), true}};
    history.version = 3;
    relay.relay.restore(history);
    REQUIRE(relay.relay.next_expiry());
    return *relay.relay.next_expiry() - relay.clock.now();
  };
  CHECK(left(seconds(4)) == seconds(4));
  CHECK(left(-seconds(4)) == seconds(0));
  CHECK(left(std::chrono::hours(400)) == seconds(10));
}

TEST_CASE("A repetition is answered about the channel that the first one was answered about") {
  TestRelay relay;
  REQUIRE(relay.send(kRoom).ok());
  const char* const batch =
      R"({"op":"batch","id":"a","commands":[{"op":"broadcast","type":"e"},{"op":"broadcast","type":"e","channels":["room","x"]}]})";
  REQUIRE(relay.send(batch).ok());
  const auto again = relay.send(batch);
  REQUIRE(again.ok());
  CHECK(again.value().duplicate);
  CHECK(text(again.value().outcome.channel) == "room");
  CHECK(again.value().seq() == Seq{2});
}

TEST_CASE("The position in a channel that is gone is where it would go on") {
  TestRelay relay;
  REQUIRE(relay.send(kRoom).ok());
  REQUIRE(relay.send(R"({"op":"drop","channel":"room"})").ok());
  const auto barrier =
      relay.send(R"({"op":"delete","key":"none","channel":"room","notify":false})");
  REQUIRE(barrier.ok());
  CHECK(barrier.value().seq() == Seq{2});
}

}  // namespace
}  // namespace syncrelay
