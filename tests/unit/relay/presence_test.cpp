#include "syncrelay/relay/presence.h"

#include <doctest/doctest.h>

#include <memory>
#include <string>

#include "presence_fixture.h"

namespace syncrelay {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::presence_settings;
using testing::TestPresence;

TEST_CASE("A member is there while any connection of it is, on whatever shard") {
  TestPresence test;
  test.attend(0, "room", "dev-1", 1);
  CHECK(test.members() == "dev-1");
  test.attend(1, "room", "dev-1", 2);
  test.attend(0, "room", "dev-1", 0, true);
  test.pass(seconds(100));
  CHECK(test.members() == "dev-1");
  test.attend(1, "room", "dev-1", 1);
  test.attend(1, "room", "dev-1", 0);
  test.pass(milliseconds(29'999));
  CHECK(test.members() == "dev-1");
  test.pass(milliseconds(1));
  CHECK(test.members().empty());
  CHECK(test.relay.channels().find("room")->last == Seq{2});
  CHECK_FALSE(test.relay.next_coming_or_going());
}

TEST_CASE("A return within the grace changes nothing") {
  TestPresence test;
  test.attend(0, "room", "dev-1", 1, false, R"({"a":1})");
  test.attend(0, "room", "dev-1", 0);
  CHECK(test.intake.next_tending() == test.clock.now() + seconds(30));
  test.pass(seconds(29));
  test.attend(1, "room", "dev-1", 1, false, R"({"a":1})");
  CHECK_FALSE(test.intake.next_tending());
  test.pass(seconds(100));
  CHECK(test.relay.channels().find("room")->last == Seq{1});
}

TEST_CASE("Who takes leave with nothing else open has the shorter grace") {
  TestPresence test;
  test.attend(0, "room", "dev-1", 1);
  test.attend(1, "room", "dev-1", 1);
  test.attend(0, "room", "dev-1", 0, false);
  test.attend(1, "room", "dev-1", 0, true);
  test.pass(milliseconds(4'999));
  CHECK(test.members() == "dev-1");
  test.pass(milliseconds(1));
  CHECK(test.members().empty());
  test.attend(0, "room", "dev-1", 1);
  test.attend(1, "room", "dev-1", 1);
  test.attend(0, "room", "dev-1", 0, true);
  test.attend(1, "room", "dev-1", 0, false);
  test.pass(seconds(29));
  CHECK(test.members() == "dev-1");
}

TEST_CASE("Of two that end in one moment the later one says how, whichever is heard first") {
  for (const bool clean_last : {false, true}) {
    for (const std::size_t first_heard : {0, 1}) {
      CAPTURE(clean_last);
      CAPTURE(first_heard);
      TestPresence test;
      test.attend(0, "room", "dev-1", 1);
      test.attend(1, "room", "dev-1", 1);
      const auto end = [&](std::size_t shard) {  // that of the second shard is the later one
        const TimePoint at = test.clock.now() + milliseconds(shard);
        const bool clean = shard == 1 ? clean_last : !clean_last;
        test.relay.attend(shard, {"room", "dev-1", nullptr, 0, clean, TimePoint{}, at});
      };
      end(first_heard);
      end(1 - first_heard);
      test.tend();
      test.pass(seconds(6));
      CHECK(test.members() == (clean_last ? "" : "dev-1"));
      test.pass(seconds(30));
      CHECK(test.members().empty());
    }
  }
}

TEST_CASE("An end of an earlier visit does not count against a later one") {
  TestPresence test;
  const auto end = [&](std::size_t shard, bool clean, seconds ago) {
    const TimePoint at = test.clock.now() - ago;
    test.relay.attend(shard, {"room", "dev-1", nullptr, 0, clean, TimePoint{}, at});
    test.tend();
  };
  test.attend(0, "room", "dev-1", 1);
  test.attend(1, "room", "dev-1", 1);
  end(1, false, seconds(0));
  test.pass(seconds(10));
  test.attend(1, "room", "dev-1", 1);
  test.pass(seconds(10));
  end(1, true, seconds(0));
  end(0, false, seconds(1));
  test.pass(seconds(5));
  CHECK(test.members().empty());
}

TEST_CASE("What a shard was told before another one's news is no news") {
  TestPresence test;
  const auto attend = [&](std::size_t shard, std::uint32_t count, const char* info, int said) {
    test.relay.attend(shard, {"room", "dev-1", std::make_shared<const std::string>(info), count,
                              false, TimePoint{seconds(said)}});
    test.tend();
  };
  attend(0, 2, R"({"a":1})", 1);
  attend(1, 1, R"({"a":2})", 2);
  CHECK(test.info("dev-1") == R"({"a":2})");
  attend(0, 1, R"({"a":1})", 1);
  CHECK(test.info("dev-1") == R"({"a":2})");
  attend(0, 1, R"({"a":1})", 3);
  CHECK(test.info("dev-1") == R"({"a":1})");
  CHECK(test.relay.channels().find("room")->last == Seq{3});
}

TEST_CASE("What was said last counts, and who says nothing takes nothing back") {
  TestPresence test;
  test.attend(0, "room", "dev-1", 1);
  CHECK(test.info("dev-1") == "{}");
  test.attend(0, "room", "dev-1", 1, false, R"({"a":1})");
  CHECK(test.info("dev-1") == R"({"a":1})");
  test.attend(1, "room", "dev-1", 1);
  CHECK(test.info("dev-1") == R"({"a":1})");
  test.attend(1, "room", "dev-1", 1, false, R"({"a":2})");
  CHECK(test.info("dev-1") == R"({"a":2})");
}

TEST_CASE("Who came and went before the relay looked was never there") {
  TestPresence test;
  test.attend(0, "room", "dev-1", 0, true);
  CHECK_FALSE(test.relay.next_coming_or_going());
  CHECK(test.relay.channels().find("room") == nullptr);
}

TEST_CASE("Members of a channel that is dropped are none, and arrive when they follow again") {
  TestPresence test;
  test.attend(0, "room", "dev-1", 1);
  test.attend(0, "room", "dev-2", 1);
  test.attend(0, "room", "dev-2", 0);
  REQUIRE(test.send(R"({"op":"will","channel":"room","id":"dev-1","commands":[)"
                    R"({"op":"broadcast","type":"will"}]})"));
  REQUIRE(test.send(R"({"op":"drop","channel":"room"})"));
  CHECK_FALSE(test.relay.next_coming_or_going());
  test.attend(0, "room", "dev-1", 0, true);
  test.pass(seconds(100));
  CHECK(test.relay.channels().find("room") == nullptr);
  CHECK(test.relay.last() == Seq{0});
  test.attend(0, "room", "dev-1", 1);
  CHECK(test.members() == "dev-1");
}

TEST_CASE("After a restart all members are in grace, and keep their wills") {
  TestPresence before;
  before.attend(0, "room", "dev-1", 1, false, R"({"a":1})");
  before.attend(0, "room", "dev-2", 1);
  before.attend(0, "", "dev-1", 1);
  REQUIRE(before.send(R"({"op":"will","channel":"room","id":"dev-2","commands":[)"
                      R"({"op":"broadcast","type":"will"}]})"));
  TestPresence after;
  after.store = before.store;
  const Restored restored = after.relay.restore(before.store.history());
  REQUIRE(restored.updates.size() >= 2);
  REQUIRE(restored.updates[0].members);
  CHECK_FALSE(restored.updates[0].changes);
  CHECK(restored.updates[0].members->front().key == "dev-1");
  CHECK(after.stats.members.get() == 3);
  CHECK(after.members() == "dev-1 dev-2");
  after.pass(seconds(10));
  after.attend(1, "room", "dev-1", 1, false, R"({"a":1})");
  after.pass(seconds(19));
  CHECK(after.members() == "dev-1 dev-2");
  after.pass(seconds(1));
  CHECK(after.members() == "dev-1");
  CHECK(after.members("").empty());
  CHECK(counter(after.stats.wills, WillOutcome::applied).get() == 1);
  CHECK(after.relay.last() == Seq{3});  // joined, the will's event, left
}

TEST_CASE("Who finds no room is counted once, and comes when somebody has left") {
  TestPresence test(presence_settings(2));
  for (const char* id : {"dev-1", "dev-2", "dev-3", "dev-4"}) test.attend(0, "room", id, 1);
  CHECK(test.members() == "dev-1 dev-2");
  CHECK(test.stats.members_refused.get() == 2);
  test.pass(seconds(1));
  test.pass(seconds(1));
  CHECK(test.stats.members_refused.get() == 2);
  test.attend(0, "room", "dev-4", 0);
  test.attend(0, "room", "dev-1", 0, true);
  test.pass(seconds(5));
  CHECK(test.members() == "dev-2 dev-3");
  test.pass(seconds(25));
  CHECK_FALSE(test.relay.next_coming_or_going());
}

TEST_CASE("A refusal is counted again only after the member was there, or gone for its grace") {
  TestPresence test(presence_settings(1));
  test.attend(0, "room", "dev-1", 1);
  const auto come_and_go = [&](int times) {
    for (int count = 0; count < times; ++count) {
      test.attend(0, "room", "dev-2", 1);
      test.pass(seconds(3));
      test.attend(0, "room", "dev-2", 0, count % 2 == 0);
      test.pass(seconds(4));
    }
  };
  come_and_go(5);
  CHECK(test.stats.members_refused.get() == 1);
  test.pass(seconds(30));
  CHECK_FALSE(test.relay.next_coming_or_going());
  come_and_go(5);
  CHECK(test.stats.members_refused.get() == 2);
  test.attend(0, "room", "dev-2", 1);
  test.attend(0, "room", "dev-1", 0, true);
  test.pass(seconds(5));
  CHECK(test.members() == "dev-2");
  test.attend(1, "room", "dev-1", 1);
  CHECK(test.stats.members_refused.get() == 3);
  test.attend(0, "room", "dev-2", 0, true);
  test.pass(seconds(5));
  CHECK(test.members() == "dev-1");
  test.attend(0, "room", "dev-2", 1);
  CHECK(test.stats.members_refused.get() == 4);
}

TEST_CASE("Of those who were refused and are gone only so many are known again") {
  TestPresence test(presence_settings(0));
  const auto all = [&](std::uint32_t count) {
    for (std::size_t number = 0; number < Presence::kMaxLingering + 5; ++number)
      test.relay.attend(0, {"room", "dev-" + std::to_string(number), nullptr, count});
    test.tend();
  };
  all(1);
  all(0);
  CHECK(test.stats.members_refused.get() == Presence::kMaxLingering + 5);
  all(1);
  CHECK(test.stats.members_refused.get() == Presence::kMaxLingering + 10);
  all(0);
  test.pass(seconds(30));
  CHECK_FALSE(test.relay.next_coming_or_going());
}

TEST_CASE("What an identity says of itself holds in all its channels, whichever tab says it") {
  TestPresence test;
  const auto say = [&](std::size_t shard, const char* channel, const char* info, int when) {
    test.relay.attend(shard, {channel, "dev-1", std::make_shared<const std::string>(info), 1, false,
                              TimePoint(seconds(when))});
    test.tend();
  };
  say(0, "a", R"({"n":1})", 1);
  say(1, "b", R"({"n":2})", 2);
  CHECK(test.info("dev-1", "a") == R"({"n":2})");
  CHECK(test.info("dev-1", "b") == R"({"n":2})");
  say(0, "c", R"({"n":1})", 1);  // the first tab follows another channel, and has said nothing new
  CHECK(test.info("dev-1", "c") == R"({"n":2})");
  CHECK(test.relay.channels().find("c")->last == Seq{1});
  test.attend(1, "b", "dev-1", 0);
  say(0, "a", R"({"n":3})", 3);
  for (const char* channel : {"a", "b", "c"}) CHECK(test.info("dev-1", channel) == R"({"n":3})");
  test.pass(seconds(30));
  CHECK(test.members("b").empty());
  CHECK(test.members("a") == "dev-1");
  test.attend(0, "a", "dev-1", 0);
  test.attend(0, "c", "dev-1", 0);
  test.pass(seconds(30));
  say(0, "a", R"({"n":1})", 1);
  CHECK(test.info("dev-1", "a") == R"({"n":1})");  // nothing is left of who was there before
}

TEST_CASE("What could not be stored is asked for again, and told once") {
  TestPresence test;
  test.store.refusing = true;
  test.attend(0, "room", "dev-1", 1);
  CHECK(test.members().empty());
  test.pass(milliseconds(500));
  test.store.refusing = false;
  test.pass(milliseconds(500));
  CHECK(test.members() == "dev-1");
  test.attend(0, "room", "dev-1", 0);
  test.pass(seconds(29));
  test.store.refusing = true;
  test.pass(seconds(1));
  CHECK(test.members() == "dev-1");
  test.store.refusing = false;
  test.pass(seconds(2));
  CHECK(test.members().empty());
  CHECK(test.relay.channels().find("room")->last == Seq{2});
}

TEST_CASE("Comings and goings have a bound each time, and none is lost") {
  TestPresence test;
  for (int number = 0; number < 100; ++number)
    test.relay.attend(0, {"room", "dev-" + std::to_string(number), nullptr, 1});
  CHECK(test.relay.comings_and_goings(30).size() == 30);
  CHECK(test.relay.comings_and_goings(100).size() == 70);
  CHECK(test.relay.comings_and_goings(100).empty());
  test.pass(seconds(1));
  CHECK(test.stats.members.get() == 100);
}

TEST_CASE("A batch with long lists of members stays bounded") {
  Relay::Settings settings = presence_settings();
  settings.channels.members_key = settings.channels.members_event = "devices";
  TestPresence test(settings);
  const std::string info = "{\"x\":\"" + std::string(1000, 'x') + "\"}";
  for (int number = 0; number < 200; ++number) {
    test.relay.attend(
        0, {"", "dev-" + std::to_string(number), std::make_shared<const std::string>(info), 1});
  }
  CHECK(test.intake.tend());
  CHECK(test.intake.batch_full());
  CHECK(test.relay.channels().members() < 60);
  test.intake.publish();
  test.tend();
  CHECK(test.stats.members.get() == 200);
}

TEST_CASE("A refused will is counted and changes nothing") {
  TestPresence test;
  test.attend(0, "room", "dev-1", 1);
  REQUIRE(test.send(R"({"op":"will","channel":"room","id":"dev-1","commands":[)"
                    R"({"op":"set","key":"k","value":1,"if":{"k":9}}]})"));
  test.attend(0, "room", "dev-1", 0, true);
  test.pass(seconds(5));
  CHECK(counter(test.stats.wills, WillOutcome::refused).get() == 1);
  CHECK(test.members().empty());
  CHECK(test.relay.state().find("k") == nullptr);
}

TEST_CASE("The default channel's list is there from the start, for clients too") {
  Relay::Settings settings = presence_settings();
  settings.channels.members_key = "devices";
  TestPresence test(settings);
  const Restored restored = test.relay.restore({});
  REQUIRE(restored.updates.size() == 1);
  CHECK(restored.updates[0].changes->front().key == "devices");
  CHECK(*restored.updates[0].changes->front().value == "[]");
  CHECK(**test.relay.state().find("devices") == "[]");
}

}  // namespace
}  // namespace syncrelay
