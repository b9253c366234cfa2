// Members of channels, their wills, and the list of them that a front end may want.

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <vector>

#include "support/choices.h"
#include "support/spoken.h"
#include "syncrelay/channel/channels.h"
#include "syncrelay/channel/member.h"
#include "syncrelay/protocol/command_decoder.h"

namespace syncrelay {
namespace {

using testing::SeededChoices;

constexpr WallTime kTime{1'763'838'000'123'456};
constexpr WallTime kLater{1'763'838'001'000'000};
const std::string kSince = "1763838000.123456";

std::shared_ptr<const std::string> info(std::string text) {
  return std::make_shared<const std::string>(std::move(text));
}

std::string text_of(const State& state) {
  std::string text;
  state.for_each([&](const State::Entry& entry) { text += ' ' + entry.key + '=' + *entry.value; });
  return text;
}

// All that there is of the channels.
std::string text_of(const ChannelTable& table) {
  std::string text = std::to_string(table.version()) + ' ' + std::to_string(table.bytes()) + ' ' +
                     std::to_string(table.keys()) + ' ' + std::to_string(table.members()) + ' ' +
                     std::to_string(table.will_bytes());
  const auto add = [&text](const Channel& channel) {
    text += "\n" + std::string(syncrelay::text(channel.name)) + '#' +
            std::to_string(channel.last.value) + text_of(channel.state) + " |" +
            text_of(channel.members.get()) + " |" + text_of(channel.wills.get());
  };
  add(table.main());
  for (const auto& [name, channel] : table.by_name()) add(*channel);
  return text;
}

// Applies letters and notes what it was told of each.
class Instance final : public Effects {
 public:
  explicit Instance(const Channels::Settings& settings = {}) : channels(settings) {}

  void take(const Effect& effect) override {
    told += std::string(syncrelay::text(effect.channel)) + '#' + std::to_string(effect.seq.value);
    if (effect.end != ChannelEnd::none) told += " ended";
    for (const auto* changes : {effect.changes.get(), effect.members.get()}) {
      if (changes == nullptr) continue;
      told += changes == effect.members.get() ? " members" : " state";
      for (const StateChange& change : *changes)
        told += ' ' + change.key + '=' + (change.value ? *change.value : "none");
    }
    if (!effect.unseen_of.empty()) told += " unseen of " + std::string(effect.unseen_of);
    told += ' ';
    for (const std::string_view piece : effect.event) told += piece;
    told += ";\n";
  }

  std::string arrive(const std::string& channel, const std::string& id, std::string said = "{}",
                     WallTime ts = kTime) {
    told.clear();
    arrival = channels.apply(Arrive{channel, id, info(std::move(said))}, ts, *this);
    return told;
  }
  std::string depart(const std::string& channel, const std::string& id,
                     const std::string& since = kSince, WallTime ts = kLater) {
    told.clear();
    departure = channels.apply(Depart{channel, id, since}, ts, *this);
    return told;
  }
  // What it does; or the reason why it was refused.
  std::string send(const std::string& message, WallTime ts = kTime) {
    told.clear();
    const auto command = decoder.decode(message);
    if (!command) return std::string(name(command.error().reason));
    const auto applied = channels.apply(*command.value(), ts, *this);
    return applied ? told : std::string(name(applied.error().reason));
  }
  std::string members(const std::string& channel) const {
    const Channel* const found = channels.table().find(channel);
    return found == nullptr ? "no channel" : text_of(found->members.get());
  }

  Channels channels;
  std::string told;
  Arrival arrival = Arrival::none;
  Departure departure;
  CommandDecoder decoder{1 << 20};
};

TEST_CASE("Who arrives is a member, in the state and by an event in one step") {
  Instance test;
  CHECK(test.arrive("room", "dev-1", R"({"name":"Phone"})") ==
        R"(room#1 members dev-1={"info":{"name":"Phone"},"since":1763838000.123456} )"
        R"({"type":"sync:joined","channel":"room","data":{"id":"dev-1","info":{"name":"Phone"},)"
        R"("since":1763838000.123456},"ts":1763838000.123456,"seq":1};)"
        "\n");
  CHECK(test.arrival == Arrival::joined);
  CHECK(test.arrive("", "dev-1") ==
        R"(#1 members dev-1={"info":{},"since":1763838000.123456} )"
        R"({"type":"sync:joined","data":{"id":"dev-1","info":{},"since":1763838000.123456},)"
        R"("ts":1763838000.123456,"seq":1};)"
        "\n");
  CHECK(test.channels.table().members() == 2);
}

TEST_CASE("A member that says something new has changed, and came when it came") {
  Instance test;
  test.arrive("room", "dev-1", R"({"a":1})");
  CHECK(test.arrive("room", "dev-1", R"({"a":1})", kLater).empty());
  CHECK(test.arrival == Arrival::none);
  CHECK(test.arrive("room", "dev-1", R"({ "a": 2 })", kLater) ==
        R"(room#2 members dev-1={"info":{ "a": 2 },"since":1763838000.123456} )"
        R"({"type":"sync:changed","channel":"room","data":{"id":"dev-1","info":{ "a": 2 },)"
        R"("since":1763838000.123456},"ts":1763838001.000000,"seq":2};)"
        "\n");
}

TEST_CASE("Who departs is a member no more, unless it is not the one that is meant") {
  Instance test;
  test.arrive("room", "dev-1");
  CHECK(test.depart("room", "dev-1", "1763838000.123455").empty());
  CHECK(test.depart("room", "dev-2").empty());
  CHECK(test.depart("other", "dev-1").empty());
  CHECK_FALSE(test.departure.left);
  CHECK(test.depart("room", "dev-1") ==
        R"(room#2 members dev-1=none {"type":"sync:left","channel":"room",)"
        R"("data":{"id":"dev-1"},"ts":1763838001.000000,"seq":2};)"
        "\n");
  CHECK(test.departure.left);
  CHECK_FALSE(test.departure.had_will);
  CHECK(test.depart("room", "dev-1").empty());
  CHECK(test.members("room").empty());
}

TEST_CASE("A member is at several relays, and leaves the channel with the last of them") {
  Instance test;
  const auto arrive = [&](RelayId home, WordStamp word, const char* said) {
    test.told.clear();
    test.arrival =
        test.channels.apply(Arrive{"room", "dev-1", info(said), word, home}, kTime, test);
    return test.told;
  };
  const auto depart = [&](RelayId home) {
    test.told.clear();
    test.departure = test.channels.apply(Depart{"room", "dev-1", kSince, home}, kLater, test);
    return test.told;
  };
  CHECK(arrive(7, {1, 7}, "{}").find("sync:joined") != std::string::npos);
  CHECK(arrive(8, {1, 7}, "{}") == "room#1 unseen of dev-1 ;\n");
  CHECK(arrive(8, {1, 7}, "{}").empty());
  CHECK(test.arrival == Arrival::none);
  CHECK(depart(9).empty());
  CHECK(depart(7) == "room#1 unseen of dev-1 ;\n");
  CHECK_FALSE(test.departure.left);
  CHECK(depart(7).empty());
  CHECK(depart(8).find("sync:left") != std::string::npos);
  CHECK(test.departure.left);
  CHECK(test.channels.table().find("room")->homes.get().size() == 0);
}

TEST_CASE(
    "Of what a member says at several relays the newest counts, in whichever order it comes") {
  Instance test;
  const auto say = [&](RelayId home, WordStamp word, const char* said) {
    test.arrival =
        test.channels.apply(Arrive{"room", "dev-1", info(said), word, home}, kTime, test);
    return test.arrival;
  };
  CHECK(say(7, {2, 7}, R"({"n":2})") == Arrival::joined);
  CHECK(say(8, {1, 8}, R"({"n":1})") == Arrival::none);
  CHECK(say(8, {2, 8}, R"({"n":3})") == Arrival::changed);
  CHECK(say(7, {2, 7}, R"({"n":2})") == Arrival::none);
  CHECK(say(7, {0, 0}, "{}") == Arrival::none);
  CHECK(say(7, {3, 7}, R"({"n":4})") == Arrival::changed);
  CHECK(test.members("room") == R"( dev-1={"info":{"n":4},"since":1763838000.123456})");
}

TEST_CASE("There are no more members than allowed, and no channel more for one") {
  Channels::Settings settings;
  settings.max_members = 2;
  settings.max_channels = 1;
  Instance test(settings);
  test.arrive("room", "a");
  CHECK(test.arrive("other", "b").empty());
  CHECK(test.arrival == Arrival::refused);
  test.arrive("room", "b");
  CHECK(test.arrive("room", "c").empty());
  CHECK(test.arrival == Arrival::refused);
  CHECK_FALSE(test.arrive("room", "b", R"({"x":1})").empty());
  test.depart("room", "a");
  CHECK_FALSE(test.arrive("room", "c").empty());
}

TEST_CASE("A channel with members is not forgotten, and a drop takes them all") {
  Instance test;
  test.arrive("room", "dev-1");
  test.send(
      R"({"op":"will","channel":"room","id":"dev-1","commands":[{"op":"drop","channel":"x"}]})");
  CHECK_FALSE(test.channels.apply(Forget{"room", Seq{1}}, test));
  CHECK(test.send(R"({"op":"drop","channel":"room"})") == "room#1 ended ;\n");
  CHECK(test.channels.table().members() == 0);
  CHECK(test.channels.table().will_bytes() == 0);
  CHECK(test.depart("room", "dev-1").empty());
  CHECK(test.arrive("room", "dev-1").starts_with("room#3 members dev-1="));
}

TEST_CASE("A will is applied in the step in which its member leaves, and once") {
  Instance test;
  test.arrive("room", "dev-1");
  CHECK(test.send(R"({"op":"will","channel":"room","id":"dev-1","commands":[)"
                  R"({"op":"set","channel":"room","key":"k","value": 1 },)"
                  R"({"op":"broadcast","type":"gone","data":"dev-1"}]})") ==
        "room#1 unseen of dev-1 ;\n");
  CHECK(test.depart("room", "dev-1") ==
        R"(room#2 members dev-1=none {"type":"sync:left","channel":"room","data":{"id":"dev-1"},)"
        R"("ts":1763838001.000000,"seq":2};)"
        "\n"
        R"(room#3 state k=1 {"type":"sync:set","channel":"room","data":{"k":1},)"
        R"("ts":1763838001.000000,"seq":3};)"
        "\n"
        R"(#1 {"type":"gone","data":"dev-1","ts":1763838001.000000,"seq":1};)"
        "\n");
  CHECK(test.departure.had_will);
  CHECK_FALSE(test.departure.will_refused);
  test.arrive("room", "dev-1");
  test.depart("room", "dev-1");
  CHECK_FALSE(test.departure.had_will);
}

TEST_CASE("A new will replaces the old one, and an empty one removes it") {
  Instance test;
  test.arrive("", "dev-1");
  test.send(R"({"op":"will","id":"dev-1","commands":[{"op":"broadcast","type":"old"}]})");
  test.send(R"({"op":"will","id":"dev-1","commands":[{"op":"broadcast","type":"new"}]})");
  test.send(R"({"op":"will","id":"dev-2","commands":[{"op":"broadcast","type":"other"}]})");
  CHECK(test.depart("", "dev-1").find(R"({"type":"new",)") != std::string::npos);
  CHECK(test.told.find("old") == std::string::npos);
  test.arrive("", "dev-1");
  test.send(R"({"op":"will","id":"dev-1","commands":[{"op":"broadcast","type":"new"}]})");
  test.send(R"({"op":"will","id":"dev-1","commands":[]})");
  test.depart("", "dev-1");
  CHECK_FALSE(test.departure.had_will);
  CHECK(test.channels.table().will_bytes() == 0);
}

TEST_CASE("A will that is refused changes nothing, and its member has left all the same") {
  Instance test;
  test.arrive("room", "dev-1");
  test.send(R"({"op":"will","channel":"room","id":"dev-1","commands":[)"
            R"({"op":"set","channel":"room","key":"k","value":1},)"
            R"({"op":"delete","key":"lock","if":{"lock":7}}]})");
  CHECK(test.depart("room", "dev-1").find("room#2 members dev-1=none ") == 0);
  CHECK(test.told.find("k=1") == std::string::npos);
  REQUIRE(test.departure.will_refused);
  CHECK(test.departure.will_refused->reason == RejectReason::conflict);
  CHECK(test.departure.will_refused->index == 1);
  CHECK(test.members("room").empty());
  CHECK(test.channels.table().find("room")->state.size() == 0);
  CHECK(test.channels.table().will_bytes() == 0);
}

TEST_CASE("A will may drop the channel that its member was in") {
  Instance test;
  test.arrive("room", "dev-1");
  test.send(
      R"({"op":"will","channel":"room","id":"dev-1","commands":[{"op":"drop","channel":"room"}]})");
  CHECK(test.depart("room", "dev-1").ends_with("room#2 ended ;\n"));
  CHECK(test.channels.table().size() == 0);
}

TEST_CASE("Only a member has a will, and wills share the room of the states") {
  Channels::Settings settings;
  settings.max_state_bytes = 100;
  Instance test(settings);
  const std::string will = R"({"op":"will","channel":"room","id":"dev-1","commands":)";
  const std::string commands = R"([{"op":"delete","key":"k"}])";
  CHECK(test.send(will + commands + '}') == "no_such_member");
  test.arrive("room", "dev-2");
  CHECK(test.send(will + commands + '}') == "no_such_member");
  CHECK(test.send(will + "[]}") == "no_such_member");
  test.arrive("room", "dev-1");
  CHECK(test.send(will + R"([{"op":"broadcast","type":"t","data":")" + std::string(90, 'x') +
                  "\"}]}") == "state_full");
  CHECK(test.send(will + commands + '}') == "room#2 unseen of dev-1 ;\n");
  const std::uint64_t taken = test.channels.table().will_bytes();
  CHECK(taken == std::string(R"(dev-1{"op":"batch","commands":})" + commands).size());
  const std::string fills(100 - taken - 3, 'x');
  CHECK(test.send(R"({"op":"set","key":"k","value":")" + fills + "x\"}") == "state_full");
  CHECK(test.send(R"({"op":"set","key":"k","value":")" + fills + "\"}") != "state_full");
}

TEST_CASE("The default channel's members are listed under a key and told by an event") {
  Channels::Settings settings;
  settings.members_key = "devices";
  settings.members_event = "devices:\"updated\"";
  settings.max_state_bytes = 1;  // which they are not bounded by
  Instance test(settings);
  const std::string first = R"([{"id":"b","name":"Phone","connected_at":1763838000.123456}])";
  CHECK(test.arrive("", "b", R"({ "name" : "Phone" })") ==
        "#1 state devices=" + first +
            R"( members b={"info":{ "name" : "Phone" },"since":1763838000.123456} )"
            R"({"type":"sync:joined","data":{"id":"b","info":{ "name" : "Phone" },)"
            R"("since":1763838000.123456},"ts":1763838000.123456,"seq":1};)"
            "\n"
            R"(#2 {"type":"devices:\"updated\"","data":)" +
            first + R"(,"set":{"devices":)" + first + R"(},"ts":1763838000.123456,"seq":2};)" +
            "\n");
  test.arrive("", "a", R"({"id":"b","i\u0064":"b","connected_at":0,"x":[1]})", kLater);
  CHECK(**test.channels.table().main().state.find("devices") ==
        R"([{"id":"b","name":"Phone","connected_at":1763838000.123456},)"
        R"({"id":"a","x":[1],"connected_at":1763838001.000000}])");
  CHECK(test.arrive("room", "b").find("devices") == std::string::npos);
  CHECK(test.depart("", "b").find("#6 {\"type\":\"devices") != std::string::npos);
  CHECK(**test.channels.table().main().state.find("devices") ==
        R"([{"id":"a","x":[1],"connected_at":1763838001.000000}])");
}

TEST_CASE("A list without an event is told as the key that it is, an event alone keeps none") {
  Channels::Settings key;
  key.members_key = "devices";
  CHECK(Instance(key).arrive("", "a").find(
            R"(#2 {"type":"sync:set","data":{"devices":[{"id":"a",)") != std::string::npos);
  Channels::Settings event;
  event.members_event = "devices";
  Instance test(event);
  CHECK(test.arrive("", "a").find("#2 {\"type\":\"devices\",\"data\":[{\"id\":\"a\",") !=
        std::string::npos);
  CHECK(test.channels.table().keys() == 0);
}

TEST_CASE("The list is there from the start, of those that were there before") {
  Channels::Settings settings;
  settings.members_key = "devices";
  const Instance test(settings);
  CHECK(*test.channels.first_list({}) == "[]");
  Channel with;
  with.members.make().set("a", info(member_text({"{}", kSince})));
  CHECK(*test.channels.first_list(with) == R"([{"id":"a","connected_at":1763838000.123456}])");
  with.state.set("devices", info("[]"));
  CHECK_FALSE(test.channels.first_list(with));
  CHECK_FALSE(Instance().channels.first_list({}));
}

// Any letter about a few members and channels, applied to `test`.
std::string any_letter(Instance& test, SeededChoices& choices, WallTime ts) {
  const std::string channel = std::string(choices.one_in(3) ? "" : choices.one_in(2) ? "a" : "b");
  const std::string id = "dev-" + std::to_string(choices.below(4));
  const std::string in = R"(,"channel":")" + channel + '"';
  switch (choices.below(8)) {
    case 0:
    case 1:
    case 2:
      return test.arrive(channel, id, "{\"n\":" + std::to_string(choices.below(3)) + '}', ts);
    case 3:
    case 4: {
      const Channel* const found = test.channels.table().find(channel);
      const StateValue* const member = found == nullptr ? nullptr : found->members.get().find(id);
      return test.depart(channel, id,
                         member == nullptr ? kSince : std::string(member_of(**member).since), ts);
    }
    case 5:
      return test.send(R"({"op":"will","id":")" + id + '"' + in +
                           R"(,"commands":[{"op":"set","key":"k","value":)" +
                           std::to_string(choices.below(9)) + in +
                           R"(},{"op":"delete","key":"k","if":{"k":)" +
                           std::to_string(choices.below(40)) + "}}]}",
                       ts);
    case 6:
      if (!channel.empty() && choices.one_in(3)) return test.send(R"({"op":"drop")" + in + '}', ts);
      return test.send(R"({"op":"set","key":"k","value":1)" + in + '}', ts);
    default:
      return test.send(R"({"op":"broadcast","type":"t")" + in + '}', ts);
  }
}

TEST_CASE(
    "The same letters give the same members everywhere, and what was taken back gives nothing") {
  for (std::uint32_t seed = 0; seed < 60; ++seed) {
    CAPTURE(seed);
    Channels::Settings settings;
    settings.max_members = 6;
    settings.max_channels = 1 + seed % 2;
    settings.max_state_bytes = 400;
    if (seed % 3 == 0) settings.members_key = settings.members_event = "list";
    SeededChoices choices(seed);
    Instance one(settings);
    Instance other(settings);
    for (int batch = 0; batch < 40; ++batch) {
      const WallTime ts{kTime.microseconds + batch};
      const std::string before = text_of(one.channels.table());
      const bool stays = !choices.one_in(3);
      SeededChoices same = choices;
      for (int count = 0; count < 5; ++count) {
        const std::string told = any_letter(one, choices, ts);
        if (stays) REQUIRE(any_letter(other, same, ts) == told);
      }
      if (stays) {
        one.channels.keep();
        other.channels.keep();
        CHECK(text_of(one.channels.table()) == text_of(other.channels.table()));
      } else {
        one.channels.take_back();
        CHECK(text_of(one.channels.table()) == before);
      }
    }
  }
}

}  // namespace
}  // namespace syncrelay
