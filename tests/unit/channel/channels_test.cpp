#include "syncrelay/channel/channels.h"

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <vector>

#include "support/choices.h"
#include "support/spoken.h"

namespace syncrelay {
namespace {

using testing::SeededChoices;
using testing::Spoken;

constexpr WallTime kTime{1'763'838'000'123'456};

// What there is of all channels, as text.
std::string text_of(const ChannelTable& table) {
  std::string text = "version " + std::to_string(table.version()) + ", bytes " +
                     std::to_string(table.bytes()) + ", keys " + std::to_string(table.keys()) +
                     ", generation " + std::to_string(table.tombstones().generation()) + ", " +
                     std::to_string(table.tombstones().size()) + " tombstones";
  const auto add = [&text](const Channel& channel) {
    text += "\n" + std::string(syncrelay::text(channel.name)) + " from " +
            std::to_string(channel.start.value) + " at " + std::to_string(channel.last.value) + ":";
    channel.state.for_each([&text](const State::Entry& entry) {
      text += ' ' + entry.key + '=' + *entry.value + '@' + std::to_string(entry.version);
    });
  };
  add(table.main());
  for (const auto& [name, channel] : table.by_name()) add(*channel);
  return text;
}

// Applies commands and notes what it was told of each.
class Instance final : public Effects {
 public:
  explicit Instance(const Channels::Settings& settings = {{"comparison", "radio"}})
      : channels(settings) {}

  void take(const Effect& effect) override {
    told += std::string(syncrelay::text(effect.channel)) + '#' + std::to_string(effect.seq.value);
    if (effect.end == ChannelEnd::dropped) told += " dropped";
    if (effect.end == ChannelEnd::forgotten) told += " forgotten";
    if (effect.changes) {
      for (const StateChange& change : *effect.changes) {
        told += ' ' + change.key + '@' + std::to_string(change.version);
        replica[std::string(syncrelay::text(effect.channel))].apply({change});
      }
    }
    told += ' ';
    for (const std::string_view piece : effect.event) told += piece;
    told += ';';
    if (effect.lifetime) lifetimes.push_back(*effect.lifetime);
  }

  // What it does; or the reason why it was refused.
  std::string apply(const Command& command) {
    told.clear();
    const auto applied = channels.apply(command, kTime, *this);
    if (applied) outcome = applied.value();
    if (applied) return told;
    rejection = applied.error();
    return std::string(name(rejection.reason));
  }

  Channels channels;
  std::string told;
  Outcome outcome;
  Rejection rejection{RejectReason::busy, 0, {}};
  std::vector<Lifetime> lifetimes;
  std::map<std::string, State> replica;
  Spoken say;
};

constexpr const char* kEnd = R"(,"ts":1763838000.123456,"seq":)";

TEST_CASE("Every event has its channel's next number, and nothing else moves it") {
  Instance test;
  CHECK(test.apply(test.say.broadcast("", "1")) ==
        R"(#1 {"type":"e","data":1)" + std::string(kEnd) + "1};");
  CHECK(test.apply(test.say.set("", "a", "1", false)) == "#1 a@1 ;");
  CHECK(test.apply(test.say.remove("", "none", false)).empty());
  Command barrier;
  barrier.op = Op::barrier;
  CHECK(test.apply(barrier).empty());
  CHECK(test.outcome.position.seq == Seq{1});
  CHECK(test.apply(test.say.set("", "a", "2")).starts_with("#2 a@2 {"));
  CHECK(test.apply(test.say.broadcast("b", "1")).starts_with("b#1 {"));
  CHECK(test.apply(test.say.broadcast("b", "1")).starts_with("b#2 {"));
  CHECK(test.outcome.position.seq == Seq{2});
  CHECK(test.channels.table().main().last == Seq{2});
}

TEST_CASE("A channel is made by the first command that has an effect there") {
  Instance test;
  CHECK(test.apply(test.say.remove("a", "none", false)).empty());
  Command barrier;
  barrier.op = Op::barrier;
  barrier.channel = "a";
  CHECK(test.apply(barrier).empty());
  CHECK(text(test.outcome.channel) == "a");
  CHECK(test.channels.table().size() == 0);
  CHECK(test.apply(test.say.remove("a", "none")).starts_with("a#1 {\"type\":\"sync:delete\""));
  CHECK(test.channels.table().size() == 1);
}

TEST_CASE("Only the default channel has configured keys") {
  Instance test;
  CHECK(test.apply(test.say.remove("", "radio")).starts_with("#1 radio@1 {\"type\":\"sync:set\""));
  CHECK(*test.outcome.changes->front().value == "null");
  test.apply(test.say.set("a", "radio", "1"));
  CHECK(test.apply(test.say.remove("a", "radio")).find("sync:delete") != std::string::npos);
  CHECK(test.channels.table().find("a")->state.size() == 0);
}

TEST_CASE("A refused command moves nothing") {
  Instance test({{"radio"}, 100, 3, 1});
  const std::string before = text_of(test.channels.table());
  const std::string large = '"' + std::string(1000, 'x') + '"';
  CHECK(test.apply(test.say.set("", "a", large)) == "state_full");
  CHECK(test.apply(test.say.set("a", "a", large)) == "state_full");
  CHECK(text_of(test.channels.table()) == before);
}

TEST_CASE("The states of all channels share their room") {
  Instance test({{}, 30, 3});
  CHECK(test.apply(test.say.set("", "a", "123456789")) ==
        "#1 a@1 {\"type\":\"sync:set\",\"data\":{\"a\":123456789}" + std::string(kEnd) + "1};");
  test.apply(test.say.set("a", "a", "123456789"));
  CHECK(test.apply(test.say.set("b", "a", "1234567890")) == "state_full");
  test.apply(test.say.set("b", "a", "123456789"));
  CHECK(test.apply(test.say.set("a", "a", "1234567890")) == "state_full");
  CHECK(test.channels.table().bytes() == 30);
  CHECK(test.apply(test.say.set("c", "b", "1")) == "state_full");  // a fourth key, too
  test.apply(test.say.drop("a"));
  CHECK(test.channels.table().bytes() == 20);
  CHECK(test.apply(test.say.set("c", "b", "1")) != "state_full");
}

TEST_CASE("There are no more channels than allowed, and one that goes makes room") {
  Instance test({{}, UINT64_MAX, UINT64_MAX, 2});
  test.apply(test.say.broadcast("a", "1"));
  test.apply(test.say.broadcast("b", "1"));
  CHECK(test.apply(test.say.broadcast("c", "1")) == "channels_full");
  CHECK(test.apply(test.say.broadcast("", "1")).starts_with("#1"));
  test.apply(test.say.drop("a"));
  CHECK(test.apply(test.say.broadcast("c", "1")).starts_with("c#1"));
}

TEST_CASE("Versions grow over all channels, and no key or channel gets one again") {
  Instance test;
  test.apply(test.say.set("", "a", "1"));
  test.apply(test.say.set("x", "a", "1"));
  CHECK(test.outcome.changes->front().version == 2);
  test.apply(test.say.remove("x", "a"));
  test.apply(test.say.drop("x"));
  test.apply(test.say.set("x", "a", "1"));
  CHECK(test.outcome.changes->front().version == 4);
}

TEST_CASE("A delete of what is not there is answered with version 0") {
  Instance test;
  test.apply(test.say.remove("", "none", false));
  REQUIRE(test.outcome.changes);
  CHECK(test.outcome.changes->front().key == "none");
  CHECK(test.outcome.changes->front().version == 0);
}

TEST_CASE("A command whose keys have other versions than it names is refused, and hears of them") {
  Instance test;
  test.apply(test.say.set("", "a", "{\"x\":1}"));
  Command command = test.say.set("", "b", "2");
  command.expected = {{"a", 1}, {"b", 0}};
  CHECK(test.apply(command).starts_with("#2 b@2"));
  const std::string before = text_of(test.channels.table());
  CHECK(test.apply(command) == "conflict");
  CHECK(test.rejection.current == R"({"b":{"version":2,"value":2}})");
  command.expected = {{"a", 1}, {"b\"", 7}, {"radio", 5}};
  CHECK(test.apply(command) == "conflict");
  CHECK(test.rejection.current == R"({"b\"":{"version":0},"radio":{"version":0,"value":null}})");
  CHECK(text_of(test.channels.table()) == before);
}

TEST_CASE("A broadcast to a list is one event in each, or none") {
  Instance test({{"radio"}, UINT64_MAX, UINT64_MAX, 2});
  Command command = test.say.broadcast("", "1");
  command.channels = {"a", "", "b"};
  test.apply(test.say.broadcast("b", "0"));
  CHECK(test.apply(command).find("b#2 {") != std::string::npos);
  REQUIRE(test.outcome.parts->positions.size() == 3);
  CHECK(text(test.outcome.channel) == "a");
  CHECK(test.outcome.position.seq == Seq{1});
  CHECK(test.outcome.parts->positions[2].position.seq == Seq{2});
  const std::string before = text_of(test.channels.table());
  command.channels = {"a", "c"};
  CHECK(test.apply(command) == "channels_full");
  CHECK(text_of(test.channels.table()) == before);
}

TEST_CASE("A batch is applied whole or not at all, and says which command it failed by") {
  Instance test;
  test.apply(test.say.set("room", "a", "1"));
  const std::string before = text_of(test.channels.table());
  Command conflict = test.say.set("", "x", "1");
  conflict.expected = {{"x", 9}};
  conflict.offset = 77;
  const std::vector<Command> good = {test.say.set("room", "a", "2"), test.say.drop("room"),
                                     test.say.set("room", "b", "3"), test.say.broadcast("", "1")};
  std::vector<Command> bad = good;
  bad.push_back(conflict);
  CHECK(test.apply(test.say.batch(bad)) == "conflict");
  CHECK(test.rejection.index == 4);
  CHECK(test.rejection.offset == 77);
  CHECK(text_of(test.channels.table()) == before);
  CHECK(test.apply(test.say.batch(good)).find("room#2 dropped") != std::string::npos);
  REQUIRE(test.outcome.parts->results.size() == 4);
  CHECK(test.outcome.parts->results[0].changes->front().version == 2);
  CHECK(test.outcome.parts->results[1].position.seq == Seq{3});
  CHECK(test.outcome.parts->results[2].position.seq == Seq{4});
  CHECK(test.outcome.position.seq == Seq{1});
}

TEST_CASE("A later command of a batch sees what the earlier ones did") {
  Instance test;
  Command second = test.say.set("", "a", "2");
  second.expected = {{"a", 1}};
  CHECK(test.apply(test.say.batch({test.say.set("", "a", "1"), second})) != "conflict");
}

TEST_CASE("A channel that was dropped goes on behind its last position, and that was nobody's") {
  Instance test;
  test.apply(test.say.broadcast("a", "1"));
  CHECK(test.apply(test.say.drop("a")) == "a#1 dropped ;");
  CHECK(test.outcome.position.seq == Seq{2});
  CHECK(test.apply(test.say.broadcast("a", "1")).starts_with("a#3"));
  CHECK(test.channels.table().find("a")->start == Seq{2});
}

TEST_CASE("A drop of what is not there does nothing") {
  Instance test;
  const std::string before = text_of(test.channels.table());
  CHECK(test.apply(test.say.drop("never")).empty());
  CHECK(text_of(test.channels.table()) == before);
}

TEST_CASE("A channel is forgotten when it has no state and no newer event, and its numbers go on") {
  Instance test;
  test.apply(test.say.set("a", "k", "1"));
  CHECK_FALSE(test.channels.apply(Forget{"a", Seq{1}}, test));
  test.apply(test.say.remove("a", "k"));
  CHECK_FALSE(test.channels.apply(Forget{"a", Seq{1}}, test));
  test.told.clear();
  CHECK(test.channels.apply(Forget{"a", Seq{2}}, test));
  CHECK(test.told == "a#2 forgotten ;");
  CHECK_FALSE(test.channels.apply(Forget{"a", Seq{2}}, test));
  CHECK_FALSE(test.channels.apply(Forget{"", Seq{0}}, test));
  CHECK(test.apply(test.say.broadcast("a", "1")).starts_with("a#3"));
}

TEST_CASE("What is set for a time says for how long, and whether its end is told") {
  Instance test;
  Command command = test.say.set("", "a", "1", false);
  command.ttl = std::chrono::milliseconds(1500);
  test.apply(command);
  REQUIRE(test.lifetimes.size() == 1);
  CHECK(test.lifetimes.front().after == std::chrono::milliseconds(1500));
  CHECK_FALSE(test.lifetimes.front().told);
}

TEST_CASE("A key goes when its time is over, unless it has become another") {
  Instance test;
  test.apply(test.say.set("a", "k", "1"));
  test.apply(test.say.set("", "radio", "1", false));
  CHECK_FALSE(test.channels.apply(Expire{"a", "k", 7, true}, kTime, test));
  CHECK_FALSE(test.channels.apply(Expire{"b", "k", 1, true}, kTime, test));
  test.told.clear();
  CHECK(test.channels.apply(Expire{"a", "k", 1, true}, kTime, test));
  CHECK(test.told ==
        R"(a#2 k@3 {"type":"sync:delete","channel":"a","data":["k"])" + std::string(kEnd) + "2};");
  CHECK_FALSE(test.channels.apply(Expire{"a", "k", 1, true}, kTime, test));
  test.told.clear();
  CHECK(test.channels.apply(Expire{"", "radio", 2, false}, kTime, test));
  CHECK(test.told == "#0 radio@4 ;");
}

TEST_CASE("When the tombstones overflow, channels that come have another epoch, or none did") {
  Instance test;
  Tombstones full;
  Tombstones::ByHash by_hash;
  for (std::uint64_t hash = 0; hash < Tombstones::kMax; ++hash) by_hash[hash] = Seq{5};
  full.restore(by_hash, 0);
  test.channels.restore(full, 0);
  test.apply(test.say.broadcast("a", "1"));
  test.channels.keep();
  test.apply(test.say.drop("a"));
  CHECK(test.channels.table().new_tombstones().size() == 1);
  test.apply(test.say.broadcast("a", "1"));
  CHECK(test.outcome.position.generation == 1);
  CHECK(test.outcome.position.seq == Seq{3});
  test.channels.take_back();
  CHECK(test.channels.table().tombstones().by_hash().size() == Tombstones::kMax);
  CHECK(test.channels.table().find("a")->generation == 0);
}

TEST_CASE("What was taken back has left nothing, whatever it was") {
  for (std::uint32_t seed = 0; seed < 60; ++seed) {
    CAPTURE(seed);
    SeededChoices choices(seed);
    Instance test({{"comparison", "radio"}, 1500, 12, 4});
    for (int batch = 0; batch < 40; ++batch) {
      const std::string before = text_of(test.channels.table());
      for (std::uint32_t left = 1 + choices.below(5); left > 0; --left) {
        const std::string before_command = text_of(test.channels.table());
        const Command command = test.say.random(choices, test.channels.table());
        if (!test.channels.apply(command, kTime, test))
          CHECK(text_of(test.channels.table()) == before_command);
      }
      if (!choices.one_in(3)) {
        test.channels.keep();
        continue;
      }
      test.channels.take_back();
      CHECK(text_of(test.channels.table()) == before);
    }
  }
}

TEST_CASE("What it tells of changes brings another state to the same point") {
  SeededChoices choices(7);
  Instance test;
  for (int step = 0; step < 500; ++step) {
    Command command = test.say.random(choices, test.channels.table());
    if (command.op == Op::batch || command.op == Op::drop) continue;
    test.apply(command);
    for (const auto& [name, channel] : test.channels.table().by_name()) {
      const State& replica = test.replica[std::string(name)];
      CHECK(replica.bytes() == channel->state.bytes());
      channel->state.for_each([&](const State::Entry& entry) {
        REQUIRE(replica.entry(entry.key));
        CHECK(*replica.entry(entry.key)->value == *entry.value);
        CHECK(replica.entry(entry.key)->version == entry.version);
      });
    }
  }
}

}  // namespace
}  // namespace syncrelay
