#include "syncrelay/relay/history_codec.h"

#include <doctest/doctest.h>

#include <chrono>
#include <memory>
#include <string>

#include "support/test_relay.h"

namespace syncrelay {
namespace {

using std::chrono::seconds;
using testing::TestRelay;

constexpr RelayId kHere = 7;
constexpr RelayId kThere = 8;

Relay::Settings settings_at(RelayId home) {
  Relay::Settings settings = testing::relay_settings();
  settings.presence.home = home;
  return settings;
}

void arrive(TestRelay& at, const std::string& id, RelayId home) {
  at.relay.apply(
      Arrive{"room", id, std::make_shared<const std::string>(R"({"a":1})"), {3, home}, home},
      {at.clock.wall()});
}

// Some of all that there is.
void fill(TestRelay& at) {
  REQUIRE(at.send(R"({"op":"set","key":"k","value":{"a":[1]},"id":"once"})"));
  REQUIRE(at.send(R"({"op":"set","channel":"room","key":"short","value":1,"ttl":60})"));
  REQUIRE(at.send(R"({"op":"broadcast","channel":"gone","type":"x"})"));
  REQUIRE(at.send(R"({"op":"drop","channel":"gone"})"));
  arrive(at, "ada", kHere);
  arrive(at, "ada", kThere);
  arrive(at, "bob", kThere);
  REQUIRE(at.send(
      R"({"op":"will","channel":"room","id":"ada","commands":[{"op":"delete","key":"k"}]})"));
  at.take_updates();
  at.relay.apply(Gone{kThere});
}

std::string bytes_of(const TestRelay& at) {
  return history_bytes(at.relay.copy_history(at.clock.wall()).value().stored());
}

TEST_CASE("a relay that goes on from a history has the same one") {
  TestRelay first(settings_at(kHere));
  fill(first);
  const std::string bytes = bytes_of(first);
  TestRelay second(settings_at(kAlone));
  second.relay.restore(read_history(bytes).value());
  CHECK(bytes_of(second) == bytes);
  for (TestRelay* const each : {&first, &second}) {
    CHECK(each->send(R"({"op":"set","key":"k","value":2,"id":"once"})").value().duplicate);
    CHECK(each->send(R"({"op":"broadcast","channel":"gone","type":"x"})").value().seq() == Seq{3});
    each->clock.advance(seconds(61));
    CHECK(each->relay.expired(10).size() == 1);
    each->take_updates();
  }
  CHECK(bytes_of(first) == bytes_of(second));
}

TEST_CASE("what is staged is in no history") {
  TestRelay relay;
  REQUIRE(relay.send(R"({"op":"set","key":"k","value":1})"));
  CHECK(!relay.relay.copy_history(relay.clock.wall()));
}

TEST_CASE("a copy stays as it is while the relay goes on") {
  TestRelay first(settings_at(kHere));
  fill(first);
  const std::string bytes = bytes_of(first);
  HistoryCopy copy = first.relay.copy_history(first.clock.wall()).value();
  REQUIRE(first.send(R"({"op":"set","key":"k","value":"new","id":"again"})"));
  REQUIRE(first.send(R"({"op":"set","channel":"room","key":"short","value":2})"));
  arrive(first, "eve", kHere);
  first.take_updates();
  first.clock.advance(seconds(30));
  CHECK(history_bytes(copy.stored()) == bytes);
  const std::string later = bytes_of(first);
  CHECK(later != bytes);
  while (copy.shed()) {
  }
  CHECK(bytes_of(first) == later);
}

TEST_CASE("what is left of a key's time counts from the time that is given") {
  TestRelay relay;
  REQUIRE(relay.send(R"({"op":"set","key":"k","value":1,"ttl":60})"));
  relay.take_updates();
  relay.clock.advance(seconds(20));
  const StoredHistory history = relay.relay.copy_history({5'000'000}).value().stored();
  const Expiry expiry = history.state.at("").at("k").expiry.value();
  CHECK(expiry.at.microseconds == 45'000'000);
  CHECK(expiry.after == seconds(40));
}

TEST_CASE("keys that are set in a replay last as much shorter as it is past") {
  TestRelay relay;
  const WallTime then = relay.clock.wall();
  relay.relay.replay_until(WallTime{then.microseconds + 50'000'000});
  REQUIRE(relay.send(R"({"op":"set","key":"k","value":1,"ttl":60})"));
  relay.take_updates();
  relay.clock.advance(seconds(11));
  CHECK(relay.relay.expired(10).size() == 1);
}

TEST_CASE("bytes that are cut off, or of another version, are no history") {
  TestRelay relay(settings_at(kHere));
  fill(relay);
  std::string bytes = bytes_of(relay);
  for (std::size_t size = 0; size < bytes.size(); ++size)
    CHECK(!read_history(std::string_view(bytes).substr(0, size)));
  CHECK(!read_history(bytes + '\0'));
  ++bytes.front();
  CHECK(!read_history(bytes));
}

}  // namespace
}  // namespace syncrelay
