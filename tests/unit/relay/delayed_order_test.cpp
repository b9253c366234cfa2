// An intake whose order gives letters back later, with those of another relay between them.

#include <doctest/doctest.h>

#include <chrono>
#include <string>
#include <vector>

#include "support/delayed_order.h"
#include "support/test_relay.h"
#include "syncrelay/relay/intake.h"

namespace syncrelay {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

struct Bench {
  void push(std::string_view message) { intake.take(message, kNobody); }
  void ask(std::string_view message, Peer peer = 1) { intake.take(message, {next_ticket++, peer}); }
  void publish(const std::string& ref) {
    const Said said{Said::Kind::publish, 7, "@a", "", ref, R"({"op":"broadcast","type":"t"})"};
    intake.take(said, {ref.empty() ? kNobody : next_ticket++, 7});
  }
  void let_back(std::size_t count = 1) { order.let_back(count); }
  // What has been replied, as text, and how many events there are so far.
  std::string published() {
    intake.take_ordered();
    std::string text;
    for (const Reply& reply : intake.publish())
      text += std::to_string(reply.ticket) + text_of(reply) + ' ';
    relay.take_updates();
    return text + std::to_string(relay.relay.last().value);
  }
  static std::string text_of(const Reply& reply) {
    if (const auto* rejection = std::get_if<Rejection>(&reply.content))
      return ":" + std::string(name(rejection->reason));
    if (std::holds_alternative<Query>(reply.content)) return "?";
    if (std::holds_alternative<Acknowledged>(reply.content)) return "+";
    const auto& accepted = std::get<Accepted>(reply.content);
    return (accepted.duplicate ? "=" : "#") + std::to_string(accepted.seq().value);
  }
  std::uint64_t unavailable() {
    return counter(relay.stats.rejected, RejectReason::cluster_unavailable).get();
  }
  void pass(Duration time) {
    relay.clock.advance(time);
    intake.tend();
  }

  testing::TestRelay relay;
  Log log{{LogLevel::error, LogFormat::text}};
  testing::DelayedOrder order;
  Intake intake{{1 << 20, seconds(5)}, relay.relay, order, relay.stats, relay.clock, log};
  Ticket next_ticket = 1;
};

const std::string kEvent = R"({"op":"broadcast","type":"e"})";
const std::string kState = R"({"op":"state"})";

TEST_CASE_FIXTURE(Bench,
                  "A command is answered when its letter is back, and nothing happens before") {
  ask(kEvent);
  CHECK(published() == "0");
  CHECK(intake.expects_letters());
  let_back();
  CHECK(published() == "1#1 1");
  CHECK_FALSE(intake.expects_letters());
}

TEST_CASE_FIXTURE(Bench, "Letters of other relays come between, and are nobody's here") {
  ask(kEvent);
  order.add_of_another(kEvent);
  order.add_of_another(R"({"op":"set","key":"k","value":1,"if":{"k":7}})");
  CHECK(published() == "1");
  CHECK(counter(relay.stats.rejected, RejectReason::conflict).get() == 0);
  push(kEvent);
  let_back(2);
  CHECK(published() == "1#2 3");
  CHECK(intake.unanswered() == 0);
}

TEST_CASE_FIXTURE(Bench,
                  "Each peer hears in the order in which it asked, and no peer waits for another") {
  ask(kEvent, 1);
  ask(kState, 1);
  ask("{", 1);
  ask(kEvent, 1);
  ask(kState, 2);
  CHECK(published() == "5? 0");
  let_back();
  CHECK(published() == "1#1 2? 3:invalid_json 1");
  ask(kState, 1);
  CHECK(published() == "1");
  let_back();
  CHECK(published() == "4#2 6? 2");
  ask(kState, 1);
  CHECK(published() == "7? 2");
}

TEST_CASE_FIXTURE(
    Bench, "Who has waited too long is told so, and nothing when the letter is back after all") {
  ask(kEvent);
  ask(kState);
  relay.clock.advance(seconds(2));
  ask(kEvent);
  pass(milliseconds(2999));
  CHECK(published() == "0");
  CHECK(intake.next_tending() == relay.clock.now() + milliseconds(1));
  pass(milliseconds(1));
  CHECK(published() == "1:cluster_unavailable 2? 0");
  CHECK(intake.next_tending() == relay.clock.now() + seconds(2));
  let_back(2);
  CHECK(published() == "3#2 2");
  CHECK(unavailable() == 1);
  CHECK_FALSE(intake.next_tending());
}

TEST_CASE_FIXTURE(Bench, "What is lost is known when a later letter is back") {
  ask(kEvent, 1);
  ask(kEvent, 2);
  push(kEvent);
  ask(kEvent, 1);
  pass(seconds(4));
  order.lose();
  order.lose();
  let_back(2);
  CHECK(published() == "1:cluster_unavailable 2:cluster_unavailable 3#2 2");
  CHECK(unavailable() == 2);
}

TEST_CASE_FIXTURE(Bench, "A repetition is found when it is applied, by the time of the order") {
  ask(R"({"op":"broadcast","type":"e","id":"a"})");
  ask(R"({"op":"broadcast","type":"e","id":"a"})");
  let_back(2);
  CHECK(published() == "1#1 2=1 1");
  relay.clock.advance(std::chrono::hours(1));
  order.add_of_another(R"({"op":"broadcast","type":"e","id":"a"})");
  CHECK(published() == "1");
}

TEST_CASE_FIXTURE(
    Bench, "A client's ref is kept when its event has happened, and not sent twice meanwhile") {
  publish("r");
  publish("r");
  publish("");
  CHECK(order.under_way() == 2);
  CHECK(published() == "0");
  let_back(2);
  CHECK(published() == "1#1 2:cluster_unavailable 2");
  publish("r");
  CHECK(published() == "3+ 2");
  CHECK(order.under_way() == 0);
}

TEST_CASE_FIXTURE(Bench, "What a client has published at another relay is not published again") {
  order.add_of_another(R"({"op":"broadcast","type":"t","id":"published:2@a:r"})");
  CHECK(published() == "1");
  publish("r");
  let_back();
  CHECK(published() == "1=1 1");
}

TEST_CASE_FIXTURE(Bench, "A ref of a mere connection is this relay's own, as is one that is long") {
  const std::string event = R"({"op":"broadcast","type":"t"})";
  const std::string session(60, 's'), ref(60, 'r');
  order.add_of_another(R"({"op":"broadcast","type":"t","id":"published:2#7:r"})");
  CHECK(published() == "1");
  intake.take(Said{Said::Kind::publish, 7, "#7", "", "r", event}, {next_ticket++, 7});
  intake.take(Said{Said::Kind::publish, 7, '?' + session, "", ref, event}, {next_ticket++, 7});
  let_back(2);
  CHECK(published() == "1#2 2#3 3");
}

TEST_CASE_FIXTURE(Bench,
                  "A client's ref whose event is lost or too late is not kept before it happens") {
  publish("a");
  publish("b");
  order.lose();
  pass(seconds(5));
  CHECK(published() == "1:cluster_unavailable 2:cluster_unavailable 0");
  publish("b");
  CHECK(published() == "3:cluster_unavailable 0");
  let_back();
  CHECK(published() == "1");
  publish("a");
  publish("b");
  CHECK(order.under_way() == 1);
  let_back();
  CHECK(published() == "4#2 5+ 2");
}

TEST_CASE_FIXTURE(Bench, "Where there is no room commands are refused, and queries are not") {
  order.set_room(Order::Room::answered);
  CHECK_FALSE(intake.has_room());
  ask(kEvent);
  push(kEvent);
  publish("r");
  CHECK(order.under_way() == 2);
  order.set_room(Order::Room::none);
  ask(kEvent, 2);
  ask(kState, 2);
  CHECK(published() == "3:cluster_unavailable 4? 0");
  CHECK(order.under_way() == 2);
  CHECK(unavailable() == 2);
}

TEST_CASE_FIXTURE(Bench, "What the relay wants is sent once, and again when it is lost") {
  push(R"({"op":"set","key":"k","value":1,"ttl":1})");
  let_back();
  published();
  relay.clock.advance(seconds(1));
  CHECK(intake.tend());
  CHECK_FALSE(intake.tend());
  CHECK(published() == "1");
  CHECK(order.under_way() == 1);
  CHECK(intake.next_tending() == relay.clock.now() + seconds(5));
  order.lose();
  pass(seconds(5));
  CHECK(order.under_way() == 1);
  let_back();
  CHECK(intake.take_ordered());
  CHECK_FALSE(intake.tend());
  CHECK(published() == "2");
  CHECK_FALSE(intake.next_tending());
  CHECK(relay.stats.expired_keys.get() == 1);
}

TEST_CASE_FIXTURE(Bench, "What is due waits for room, and the relay is not kept awake by it") {
  push(R"({"op":"set","key":"k","value":1,"ttl":1})");
  let_back();
  published();
  order.set_room(Order::Room::answered);
  pass(seconds(1));
  CHECK(order.under_way() == 0);
  CHECK_FALSE(intake.next_tending());
  order.set_room(Order::Room::all);
  CHECK(intake.tend());
  CHECK(order.under_way() == 1);
}

TEST_CASE_FIXTURE(Bench,
                  "A batch takes no more than it may, and what is left comes with the next") {
  for (int count = 0; count < 600; ++count) order.add_of_another(kEvent);
  CHECK(published() == "256");
  CHECK(published() == "512");
  CHECK(published() == "600");
  CHECK_FALSE(intake.take_ordered());
}

}  // namespace
}  // namespace syncrelay
