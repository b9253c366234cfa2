#include "syncrelay/channel/channel.h"

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <vector>

#include "support/choices.h"
#include "syncrelay/protocol/command_decoder.h"

namespace syncrelay {
namespace {

using testing::SeededChoices;

const Channel::Settings kSettings{{"comparison", "radio"}, 600, 8};
constexpr WallTime kTime{1'763'838'000'123'456};

StateChanges content(const State& state) {
  StateChanges all;
  state.for_each([&all](const State::Entry& entry) {
    all.push_back({entry.key, entry.value, entry.version});
  });
  return all;
}

std::string text_of(const State& state) {
  std::string text;
  state.for_each(
      [&text](const State::Entry& entry) { text += entry.key + '=' + *entry.value + ';'; });
  return text;
}

// Applies commands given as JSON and notes what it was told of each.
class Instance {
 public:
  // What clients hear, behind the position; or why it was refused.
  std::string apply(const std::string& json, WallTime ts = kTime) {
    const auto command = decoder_.decode(json);
    REQUIRE(command.ok());
    const auto applied = channel->apply(*command.value(), ts);
    if (!applied) return "refused: " + applied.error().detail;
    std::string told;
    for (const std::string_view piece : applied.value().event) told += piece;
    return std::to_string(applied.value().seq.value) + ' ' + told;
  }

  // As a process that ends here and begins anew with what was kept.
  void restart() {
    const StateChanges state = content(channel->state());
    const Seq last = channel->last();
    channel = std::make_unique<Channel>(kSettings);
    channel->restore(state, last);
  }

  std::unique_ptr<Channel> channel = std::make_unique<Channel>(kSettings);

 private:
  CommandDecoder decoder_{1 << 20};
};

std::string random_command(SeededChoices& choices) {
  const char* const keys[] = {"radio", "a", "b", "c", "d\\\"", "e", "f", "g", "h", "comparison"};
  const std::string key = keys[choices.below(std::size(keys))];
  const std::string value = R"({"n":)" + std::to_string(choices.below(100)) + R"(,"s":")" +
                            std::string(choices.below(120), 'x') + "\"}";
  const std::string notify = choices.one_in(3) ? R"(,"notify":false})" : "}";
  const std::string with_key = R"(,"key":")" + key + '"';
  switch (choices.below(5)) {
    case 0:
      return R"({"op":"merge")" + with_key + R"(,"value":{"m":)" + value + R"(,"n":null})" + notify;
    case 1:
      return R"({"op":"delete")" + with_key + notify;
    case 2:
      return R"({"op":"broadcast","type":"e","data":)" + value + "}";
    case 3:
      return R"({"op":"broadcast","type":"e","set":{")" + key + "\":" + value + "}" + notify;
    default:
      return R"({"op":"set")" + with_key + R"(,"value":)" + value + notify;
  }
}

TEST_CASE("Commands that took effect tell the same story, whatever was taken back between them") {
  for (std::uint32_t seed = 0; seed < 40; ++seed) {
    CAPTURE(seed);
    SeededChoices choices(seed);
    Instance disturbed;  // batches that cannot be kept, and restarts
    Instance plain;      // only what was kept
    WallTime ts = kTime;
    for (int batch = 0; batch < 60; ++batch) {
      std::vector<std::string> commands(1 + choices.below(4));
      for (std::string& command : commands) command = random_command(choices);
      ts.microseconds += 1 + choices.below(1'000'000);
      if (choices.one_in(3)) {
        const std::string before = text_of(disturbed.channel->state());
        const Seq last = disturbed.channel->last();
        for (const std::string& command : commands) disturbed.apply(command, ts);
        disturbed.channel->take_back();
        CHECK(text_of(disturbed.channel->state()) == before);
        CHECK(disturbed.channel->last() == last);
        continue;
      }
      for (const std::string& command : commands)
        CHECK(disturbed.apply(command, ts) == plain.apply(command, ts));
      disturbed.channel->keep();
      plain.channel->keep();
      if (choices.one_in(5)) disturbed.restart();
      CHECK(text_of(disturbed.channel->state()) == text_of(plain.channel->state()));
      CHECK(disturbed.channel->state().bytes() == plain.channel->state().bytes());
      CHECK(disturbed.channel->last() == plain.channel->last());
    }
  }
}

TEST_CASE("What it is told of changes brings another state to the same point") {
  SeededChoices choices(7);
  CommandDecoder decoder(1 << 20);
  Channel channel(kSettings);
  State replica;
  replica.apply(content(channel.state()));
  for (int step = 0; step < 500; ++step) {
    const std::string json = random_command(choices);
    const auto command = decoder.decode(json);
    REQUIRE(command.ok());
    const auto applied = channel.apply(*command.value(), kTime);
    if (applied && applied.value().changes) replica.apply(*applied.value().changes);
    CHECK(text_of(replica) == text_of(channel.state()));
  }
}

TEST_CASE("Every event has the next number, and nothing else moves it") {
  Instance instance;
  CHECK(instance.apply(R"({"op":"broadcast","type":"e"})").starts_with("1 {"));
  CHECK(instance.apply(R"({"op":"set","key":"a","value":1,"notify":false})") == "1 ");
  CHECK(instance.apply(R"({"op":"delete","key":"none","notify":false})") == "1 ");
  CHECK(instance.apply(R"({"op":"barrier"})") == "1 ");
  CHECK(instance.apply(R"({"op":"set","key":"a","value":2})").starts_with("2 {"));
  CHECK(instance.channel->kept() == Seq{0});
  instance.channel->keep();
  CHECK(instance.channel->kept() == Seq{2});
}

TEST_CASE("A refused command moves nothing") {
  Instance instance;
  const std::string before = text_of(instance.channel->state());
  const std::string large = '"' + std::string(1000, 'x') + '"';
  CHECK(instance.apply(R"({"op":"set","key":"a","value":)" + large + "}").starts_with("refused"));
  CHECK(text_of(instance.channel->state()) == before);
  CHECK(instance.channel->last() == Seq{0});
}

}  // namespace
}  // namespace syncrelay
