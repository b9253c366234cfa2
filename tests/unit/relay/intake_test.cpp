#include "syncrelay/relay/intake.h"

#include <doctest/doctest.h>

#include <chrono>
#include <string>
#include <vector>

#include "support/memory_store.h"
#include "support/test_relay.h"

namespace syncrelay {
namespace {

using testing::TestRelay;

struct TestIntake {
  explicit TestIntake(Relay::Settings settings = testing::relay_settings())
      : relay(settings, &store) {}

  void push(std::string_view message) { intake.take(message, kNobody); }
  void ask(std::string_view message) { intake.take(message, next_ticket++); }

  // What has been replied, as text.
  std::string published() {
    std::string text;
    for (const Reply& reply : intake.publish())
      text += std::to_string(reply.ticket) + text_of(reply);
    relay.take_updates();
    return text;
  }
  static std::string text_of(const Reply& reply) {
    if (const auto* rejection = std::get_if<Rejection>(&reply.content))
      return ":" + std::string(name(rejection->reason)) + ' ';
    if (std::holds_alternative<Query>(reply.content)) return "? ";
    const auto& accepted = std::get<Accepted>(reply.content);
    return (accepted.duplicate ? "=" : "#") + std::to_string(accepted.seq().value) + ' ';
  }

  std::uint64_t rejected(RejectReason reason) {
    return counter(relay.stats.rejected, reason).get();
  }

  testing::MemoryStore store;
  TestRelay relay;
  Log log{{LogLevel::error, LogFormat::text}};
  LocalOrder order{relay.clock};
  Intake intake{{1 << 20}, relay.relay, order, relay.stats, relay.clock, log};
  Ticket next_ticket = 1;
};

TEST_CASE("Whoever waits hears of his command once it is published, in the order of all") {
  TestIntake test;
  test.ask(R"({"op":"broadcast","type":"e"})");
  test.push(R"({"op":"broadcast","type":"e"})");
  test.ask(R"({"op":"state"})");
  test.ask(R"({"op":"set","key":)");
  test.ask(R"({"op":"broadcast","type":"e"})");
  CHECK(test.intake.has_waiting());
  CHECK(test.intake.unanswered() == 1);
  CHECK(test.published() == "1#1 2? 3:invalid_json 4#3 ");
  CHECK_FALSE(test.intake.has_waiting());
  CHECK(test.published().empty());
}

TEST_CASE("Nobody can ask where there is no answer") {
  TestIntake test;
  test.push(R"({"op":"state"})");
  CHECK(test.published().empty());
  CHECK(test.rejected(RejectReason::unknown_op) == 1);
}

TEST_CASE("What is refused is counted by its reason, whoever sent it") {
  TestIntake test;
  test.push("{");
  test.ask("{");
  test.push(R"({"op":"set","key":"a","value":1,"if":{"a":7}})");
  test.ask(R"({"op":"set","key":"a","value":1,"if":{"a":7}})");
  CHECK(test.rejected(RejectReason::invalid_json) == 2);
  CHECK(test.rejected(RejectReason::conflict) == 2);
  CHECK(test.published() == "1:invalid_json 2:conflict ");
}

TEST_CASE("When a batch cannot be stored its commands are refused one by one, but no repetitions") {
  TestIntake test;
  test.ask(R"({"op":"broadcast","type":"e","id":"stored"})");
  CHECK(test.published() == "1#1 ");
  test.store.refusing = true;
  test.push(R"({"op":"broadcast","type":"e"})");
  test.push(R"({"op":"set","key":"a","value":1})");
  test.push(R"({"op":"broadcast","type":"e","id":"stored"})");
  test.ask(R"({"op":"broadcast","type":"e"})");
  test.ask(R"({"op":"broadcast","type":"e","id":"stored"})");
  test.ask(R"({"op":"stats"})");
  test.ask(
      R"({"op":"batch","commands":[{"op":"drop","channel":"a"},{"op":"drop","channel":"b"}]})");
  std::string text;
  for (const Reply& reply : test.intake.publish()) text += TestIntake::text_of(reply);
  CHECK(text == ":storage_full =1 ? :storage_full ");
  CHECK(test.rejected(RejectReason::storage_full) == 4);
  test.store.refusing = false;
  test.ask(R"({"op":"broadcast","type":"e"})");
  CHECK(test.published() == "6#2 ");
}

TEST_CASE("A batch counts as itself, and its commands as theirs") {
  TestIntake test;
  test.ask(
      R"({"op":"batch","commands":[{"op":"set","key":"a","value":1},{"op":"set","key":"b","value":1},{"op":"broadcast","type":"e","channel":"r"}]})");
  CHECK(test.published() == "1#1 ");
  CHECK(counter(test.relay.stats.commands, Op::batch).get() == 1);
  CHECK(counter(test.relay.stats.commands, Op::set).get() == 2);
  CHECK(counter(test.relay.stats.commands, Op::broadcast).get() == 1);
}

TEST_CASE("A key goes when its time has come, and the relay says when that will be") {
  TestIntake test;
  CHECK_FALSE(test.intake.next_tending());
  test.push(R"({"op":"set","key":"radio","value":1,"ttl":5})");
  test.push(R"({"op":"set","key":"gone","value":1,"ttl":2.5})");
  test.published();
  CHECK_FALSE(test.intake.tend());
  CHECK(test.intake.next_tending() == test.relay.clock.now() + std::chrono::milliseconds(2500));
  test.relay.clock.advance(std::chrono::milliseconds(2500));
  CHECK(test.intake.tend());
  test.published();
  CHECK(test.relay.relay.state().find("gone") == nullptr);
  CHECK(test.relay.stats.expired_keys.get() == 1);
  test.relay.clock.advance(std::chrono::milliseconds(2500));
  CHECK(test.intake.tend());
  test.published();
  CHECK(**test.relay.relay.state().find("radio") == "null");
  CHECK(test.relay.relay.last() == Seq{4});
  CHECK_FALSE(test.intake.next_tending());
}

TEST_CASE("A key that is set again, deleted or dropped has no time any more") {
  TestIntake test;
  for (const char* op : {"set", "merge", "broadcast"}) {
    const bool broadcast = std::string(op) == "broadcast";
    const std::string key = std::string("k") + op;
    const std::string what = broadcast ? R"("type":"e","set":{")" + key + "\":1}"
                                       : R"("key":")" + key + R"(","value":1)";
    test.push(R"({"op":")" + std::string(op) + "\"," + what + R"(,"ttl":1})");
    test.push(R"({"op":")" + std::string(op) + "\"," + what + "}");
  }
  test.push(R"({"op":"set","key":"d","value":1,"ttl":1})");
  test.push(R"({"op":"delete","key":"d"})");
  test.push(R"({"op":"set","key":"d","value":1,"channel":"r","ttl":1})");
  test.push(R"({"op":"drop","channel":"r"})");
  test.published();
  CHECK_FALSE(test.intake.next_tending());
}

TEST_CASE("What cannot be stored now is wanted again in a second, and not before") {
  TestIntake test;
  test.push(R"({"op":"set","key":"a","value":1,"ttl":1})");
  test.published();
  test.relay.clock.advance(std::chrono::seconds(1));
  test.store.refusing = true;
  CHECK(test.intake.tend());
  CHECK(test.intake.publish().empty());
  CHECK_FALSE(test.intake.tend());
  CHECK(test.intake.next_tending() == test.relay.clock.now() + std::chrono::seconds(1));
  test.store.refusing = false;
  test.relay.clock.advance(std::chrono::seconds(1));
  CHECK(test.intake.tend());
  test.published();
  CHECK(test.relay.stats.expired_keys.get() == 1);
  CHECK_FALSE(test.intake.next_tending());
}

// A window of two events.
Relay::Settings narrow() {
  Relay::Settings settings = testing::relay_settings();
  settings.window.events = 2;
  return settings;
}

TEST_CASE("A channel without state is forgotten when its events have left the window") {
  TestIntake test(narrow());
  test.push(R"({"op":"broadcast","type":"e","channel":"a"})");
  test.push(R"({"op":"set","key":"k","value":1,"channel":"b"})");
  test.published();
  CHECK_FALSE(test.intake.tend());
  test.push(R"({"op":"broadcast","type":"e"})");
  test.push(R"({"op":"broadcast","type":"e"})");
  test.published();
  CHECK(test.intake.tend());
  test.published();
  CHECK(test.relay.stats.channels_forgotten.get() == 1);
  CHECK(test.relay.stats.channels.get() == 2);
  CHECK_FALSE(test.intake.tend());
  test.push(R"({"op":"delete","key":"k","channel":"b","notify":false})");
  test.published();
  CHECK(test.intake.tend());
  test.published();
  CHECK(test.relay.stats.channels.get() == 1);
}

TEST_CASE("A channel that somebody follows is not forgotten until the last has gone") {
  TestIntake test(narrow());
  test.relay.relay.hear(0, {"a", 2});
  test.push(R"({"op":"broadcast","type":"e","channel":"a"})");
  for (int count = 0; count < 3; ++count) test.push(R"({"op":"broadcast","type":"e"})");
  test.published();
  CHECK_FALSE(test.intake.tend());
  test.relay.relay.hear(0, {"a", 1});
  CHECK_FALSE(test.intake.tend());
  test.relay.relay.hear(0, {"a", 0});
  CHECK(test.intake.tend());
  test.published();
  CHECK(test.relay.stats.channels_forgotten.get() == 1);
}

TEST_CASE("Never more than a bounded number of channels is forgotten in one batch") {
  TestIntake test;
  for (int count = 0; count < 2500; ++count) {
    test.push(R"({"op":"set","key":"k","value":1,"channel":")" + std::to_string(count) +
              R"(","notify":false})");
    test.push(R"({"op":"delete","key":"k","channel":")" + std::to_string(count) +
              R"(","notify":false})");
  }
  test.published();
  int batches = 0;
  for (; test.intake.tend(); ++batches) test.published();
  CHECK(batches == 3);
  CHECK(test.relay.stats.channels_forgotten.get() == 2500);
}

}  // namespace
}  // namespace syncrelay
