// What clients say, on its way in.

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "support/memory_store.h"
#include "support/test_relay.h"
#include "syncrelay/relay/intake.h"

namespace syncrelay {
namespace {

using testing::TestRelay;

struct SaidBench {
  void say(const std::string& ref, const std::string& text = R"({"type":"t"})") {
    intake.take(Said{Said::Kind::message, 1, "@a", "", ref, text},
                ref.empty() ? kNobody : next_ticket++);
  }
  void publish(const std::string& ref,
               const std::string& text = R"({"op":"broadcast","type":"t"})") {
    intake.take(Said{Said::Kind::publish, 1, "@a", "", ref, text},
                ref.empty() ? kNobody : next_ticket++);
  }
  void ask(const std::string& command) { intake.take(command, next_ticket++); }

  std::string published() {
    std::string text;
    for (const Reply& reply : intake.publish())
      text += std::to_string(reply.ticket) + text_of(reply) + ' ';
    events = relay.take_updates().size();
    return text;
  }
  static std::string text_of(const Reply& reply) {
    if (const auto* rejection = std::get_if<Rejection>(&reply.content))
      return ":" + std::string(name(rejection->reason));
    if (const auto* refused = std::get_if<RefusedMessage>(&reply.content))
      return ":" + std::string(info(*refused).name);
    if (const auto* settled = std::get_if<Settled>(&reply.content))
      return "x" + std::to_string(settled->result.count);
    if (std::holds_alternative<Query>(reply.content)) return "?";
    return "+";
  }
  std::size_t take() {
    return relay.relay.inbox()
        .take({10, 1 << 20, std::chrono::seconds(30)}, relay.clock.now())
        .size();
  }

  testing::MemoryStore store;
  TestRelay relay{testing::relay_settings(), &store};
  Log log{{LogLevel::error, LogFormat::text}};
  LocalOrder order{relay.clock};
  Intake intake{{1 << 20}, relay.relay, order, relay.stats, relay.clock, log};
  Ticket next_ticket = 1;
  std::size_t events = 0;  // of the last batch
};

TEST_CASE_FIXTURE(SaidBench, "A receive makes that there is a backend, from its place on") {
  say("a");
  ask(R"({"op":"receive"})");
  say("b");
  CHECK(published() == "1:no_backend 2? 3+ ");
  CHECK(take() == 1);
}

TEST_CASE_FIXTURE(SaidBench,
                  "A message is acknowledged when it is stored, and again when repeated") {
  ask(R"({"op":"receive"})");
  say("a");
  say("a");
  say("");
  CHECK(intake.has_said());
  CHECK(published() == "1? 2+ 3+ ");
  CHECK_FALSE(intake.has_said());
  say("a");
  CHECK(published() == "4+ ");
  CHECK(take() == 2);
}

TEST_CASE_FIXTURE(SaidBench,
                  "What cannot be stored is refused with the storage's code, not what is known") {
  ask(R"({"op":"receive"})");
  say("known");
  published();
  store.refusing = true;
  say("known");
  say("new");
  say("new");
  CHECK(published() == "3+ 4:storage_full 5:storage_full ");
  store.refusing = false;
  say("new");
  CHECK(published() == "6+ ");
  CHECK(take() == 2);
}

TEST_CASE_FIXTURE(SaidBench, "A done is answered when it is stored, or refused and none") {
  ask(R"({"op":"receive"})");
  say("a");
  published();
  CHECK(take() == 1);
  store.refusing = true;
  ask(R"({"op":"done","n":[1,2]})");
  ask(R"({"op":"done","n":[1]})");
  ask(R"({"op":"done","n":[2]})");
  ask(R"({"op":"release","n":[1]})");
  CHECK(published() == "3:storage_full 4:storage_full 5x0 6x1 ");
  store.refusing = false;
  CHECK(take() == 1);
  ask(R"({"op":"extend","n":[1,2]})");
  ask(R"({"op":"done","n":[1,2]})");
  CHECK(published() == "7x1 8x1 ");
  CHECK(take() == 0);
}

TEST_CASE_FIXTURE(SaidBench, "Workers are heard on the control socket only") {
  for (const char* command : {R"({"op":"receive"})", R"({"op":"done","n":[1]})",
                              R"({"op":"extend","n":[1]})", R"({"op":"release","n":[1]})"})
    intake.take(std::string_view(command), kNobody);
  CHECK(counter(relay.stats.rejected, RejectReason::unknown_op).get() == 4);
  say("a");
  CHECK(published() == "1:no_backend ");
}

TEST_CASE_FIXTURE(SaidBench, "What a client publishes is an event, once for each ref") {
  publish("a");
  publish("a");
  publish("");
  CHECK(published() == "1+ 2+ ");
  CHECK(events == 2);
  publish("a");
  CHECK(published() == "3+ ");
  CHECK(events == 0);
}

TEST_CASE_FIXTURE(SaidBench, "What a client publishes and is refused leaves no ref behind") {
  publish("a", R"({"op":"broadcast","type":"sync:t"})");
  CHECK(published() == "1:reserved_type ");
  store.refusing = true;
  publish("a");
  CHECK(published() == "2:storage_full ");
  store.refusing = false;
  publish("a");
  CHECK(published() == "3+ ");
  CHECK(events == 1);
}

}  // namespace
}  // namespace syncrelay
