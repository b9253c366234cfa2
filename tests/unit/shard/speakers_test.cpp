// What clients say for others, and what of it they hear again.

#include "syncrelay/shard/speakers.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <deque>
#include <memory>

#include "support/fake_transport.h"
#include "support/session_bench.h"
#include "support/update_source.h"
#include "syncrelay/shard/shard.h"

namespace syncrelay {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::FakeTransport;
using testing::SessionBench;
using Texts = std::vector<std::string>;

constexpr std::string_view kHello = R"({"type":"sync:hello","id":"dev-1","ref":"h"})";

SpeechRules usual_rules() {
  return {true, ChannelPatterns({"", "room:*"}), ChannelPatterns({"doc:*"}), {20, 40}};
}

// A shard with clients, and the relay's end of its letters.
class SpeakersBench {
 public:
  explicit SpeakersBench(SpeechRules rules = usual_rules())
      : shard({{},
               {1 << 20, 1000},
               SessionBench::usual_times(),
               "e0",
               {ChannelRule({"room:*"}), 4, 100},
               std::move(rules)},
              relay.clock, stats, outbox, [] {}) {}
  ~SpeakersBench() {
    for (Client& client : clients) {
      if (client.session != nullptr) shard.remove(*client.session);
    }
  }

  struct Client {
    std::unique_ptr<FakeTransport> transport = std::make_unique<FakeTransport>();
    Session* session = nullptr;
  };

  Client& connect(const std::vector<std::string>& channels = {""}, std::string session = {}) {
    ClientRequest request;
    request.subscriptions.clear();
    for (const std::string& channel : channels) request.subscriptions.push_back({channel});
    request.session = std::move(session);
    Client& client = clients.emplace_back();
    client.session = &shard.add(ConnectionId{clients.size()}, *client.transport, request);
    client.transport->take_texts();
    return client;
  }

  void say(Client& client, std::string_view text) {
    auto message = parse_client_message(text);
    REQUIRE(message);
    shard.hear(*client.session, *std::move(message));
    client.session->answer();
  }
  Texts heard(Client& client, std::string_view text) {
    say(client, text);
    return client.transport->take_texts();
  }
  void leave(Client& client, Farewell farewell = Farewell::lost, std::uint16_t code = 1006) {
    shard.remove(*client.session, farewell, code);
    client.session = nullptr;
  }

  // The letters of one kind since the last call.
  template <typename Kind>
  std::vector<Kind> letters() {
    std::vector<UpLetter> all;
    outbox.take(all);
    std::vector<Kind> some;
    for (UpLetter& letter : all) {
      if (auto* found = std::get_if<Kind>(&letter)) some.push_back(std::move(*found));
    }
    return some;
  }
  void post(const Letter& letter) { shard.letters().post(letter); }
  void run() {
    while (shard.run()) {
    }
  }
  std::uint64_t refused(RefusedMessage why) {
    return counter(stats.client_messages_refused, why).get();
  }

  testing::TestRelay relay{testing::relay_settings(1 << 20)};
  ShardStats stats;
  Outbox outbox{[] {}};
  Shard shard;
  std::deque<Client> clients;
};

std::string error(const std::string& ref, const char* code) {
  return R"({"type":"sync:error",)" + (ref.empty() ? "" : R"("ref":")" + ref + R"(",)") +
         R"("code":")" + code + '"';
}

// Whether the text begins so.
bool begins(const Texts& texts, const std::string& begin) {
  return texts.size() == 1 && texts[0].starts_with(begin);
}

TEST_CASE_FIXTURE(SpeakersBench, "Who says hello is told so and follows the channel of his own") {
  Client& client = connect({"room:1"});
  const Texts texts = heard(client, kHello);
  REQUIRE(texts.size() == 2);
  CHECK(texts[0] == R"({"type":"sync:ack","ref":"h"})");
  CHECK(texts[1].starts_with(R"({"type":"sync:full","channel":"@dev-1","data":{})"));
  CHECK(client.session->info().subscriptions == 2);
  CHECK(stats.identities.get() == 1);
  CHECK(heard(client, R"({"type":"sync:hello","id":"dev-1"})").empty());
  CHECK(heard(client, R"({"type":"sync:subscribe","channel":"@dev-1"})")[0].find(
            R"("code":"already_subscribed")") != std::string::npos);
  CHECK(heard(client, R"({"type":"sync:subscribe","channel":"@dev-2"})")[0].find(
            R"("code":"forbidden")") != std::string::npos);
}

TEST_CASE_FIXTURE(SpeakersBench, "The channel of one's own is one of the subscriptions, and free") {
  Client& client = connect({"room:1", "room:2", "room:3", "room:4"});
  CHECK(heard(client, kHello).size() == 2);
  CHECK(client.session->info().subscriptions == 5);
  Client& other = connect({"room:1", "room:2", "room:3"});
  heard(other, kHello);
  CHECK(heard(other, R"({"type":"sync:subscribe","channel":"room:4"})")[0].find(
            R"("code":"too_many_subscriptions")") != std::string::npos);
}

TEST_CASE_FIXTURE(SpeakersBench, "A channel of one's own that was dropped comes again by hello") {
  Client& client = connect();
  heard(client, kHello);
  testing::UpdateSource source{1 << 20};
  post(source.end("@dev-1", Seq{0}, ChannelEnd::dropped));
  run();
  CHECK(client.transport->take_texts() ==
        Texts{R"({"type":"sync:unsubscribed","channel":"@dev-1","reason":"dropped"})"});
  CHECK(heard(client, kHello).size() == 2);
}

TEST_CASE_FIXTURE(SpeakersBench, "A wrong hello is told why, and changes nothing") {
  Client& client = connect();
  CHECK(begins(heard(client, R"({"type":"sync:hello","id":"@x","ref":"1"})"),
               error("1", "invalid_id")));
  CHECK(begins(heard(client, R"({"type":"sync:hello","id":"x","info":[]})"),
               error("", "invalid_info")));
  CHECK(begins(heard(client, R"({"type":"sync:hello","id":"x","ref":""})"),
               error("", "invalid_ref")));
  CHECK(stats.identities.get() == 0);
  heard(client, kHello);
  CHECK(begins(heard(client, R"({"type":"sync:hello","id":"dev-2","ref":"2"})"),
               error("2", "id_is_fixed")));
  CHECK(refused(RefusedMessage::id_is_fixed) == 1);
  CHECK(stats.identities.get() == 1);
}

TEST_CASE("Without the option nobody is who he says he is") {
  SpeakersBench bench{SpeechRules{}};
  auto& client = bench.connect();
  CHECK(begins(bench.heard(client, kHello), error("h", "identity_not_allowed")));
  CHECK(bench.stats.identities.get() == 0);
}

TEST_CASE_FIXTURE(SpeakersBench, "Who follows what is told, before the hello and behind it") {
  Client& client = connect({"", "room:1"});
  CHECK(letters<Attendance>().empty());
  say(client, R"({"type":"sync:hello","id":"dev-1","info":{"a":1}})");
  auto told = letters<Attendance>();
  REQUIRE(told.size() == 2);
  CHECK(told[0].channel == "");
  CHECK(told[1].channel == "room:1");
  CHECK(told[1].count == 1);
  CHECK(*told[1].info == R"({"a":1})");
  say(client, R"({"type":"sync:subscribe","channel":"room:2"})");
  CHECK(letters<Attendance>().at(0).channel == "room:2");
  say(client, R"({"type":"sync:unsubscribe","channel":"room:2"})");
  told = letters<Attendance>();
  REQUIRE(told.size() == 1);
  CHECK(told[0].count == 0);
  CHECK(told[0].clean);
  leave(client);
  told = letters<Attendance>();
  REQUIRE(told.size() == 2);
  CHECK(told[0].count == 0);
  CHECK_FALSE(told[0].clean);
}

TEST_CASE_FIXTURE(SpeakersBench, "Who closes takes leave, unless another of his stays") {
  Client& one = connect({"room:1"});
  Client& two = connect({"room:1"});
  say(one, kHello);
  say(two, kHello);
  CHECK(letters<Attendance>().at(0).count == 2);
  leave(one, Farewell::leave);
  CHECK(letters<Attendance>().at(0).count == 1);
  leave(two, Farewell::leave);
  const auto told = letters<Attendance>();
  REQUIRE(told.size() == 1);
  CHECK(told[0].count == 0);
  CHECK(told[0].clean);
}

TEST_CASE_FIXTURE(SpeakersBench, "What is published becomes a broadcast of the sender's") {
  Client& client = connect();
  CHECK(
      heard(client, R"({"type":"sync:publish","channel":"doc:7","event":"e","data":[1]})").empty());
  auto said = letters<Said>();
  REQUIRE(said.size() == 1);
  CHECK(said[0].kind == Said::Kind::publish);
  CHECK(said[0].text == R"({"op":"broadcast","type":"e","channel":"doc:7","data":[1]})");
  CHECK(said[0].sender == "#1");
  heard(client, kHello);
  say(client, R"({"type":"sync:publish","channel":"doc:7","event":"e","ref":"r"})");
  said = letters<Said>();
  REQUIRE(said.size() == 1);
  CHECK(said[0].text ==
        R"({"op":"broadcast","type":"e","channel":"doc:7","data":null,"from":"dev-1"})");
  CHECK(said[0].sender == "@dev-1");
  CHECK(said[0].ref == "r");
}

TEST_CASE_FIXTURE(SpeakersBench, "Nobody publishes where no pattern says so") {
  Client& client = connect();
  for (const std::string channel : {"", "room:1", "@dev-1"}) {
    CHECK(begins(heard(client, R"({"type":"sync:publish","event":"e","ref":"r","channel":")" +
                                   channel + "\"}"),
                 error("r", "forbidden")));
  }
  CHECK(heard(client, R"({"type":"sync:publish","event":"e"})").empty());
  CHECK(refused(RefusedMessage::forbidden) == 4);
  CHECK(letters<Said>().empty());
}

TEST_CASE_FIXTURE(SpeakersBench, "A message goes to the backend as it came, with its sender") {
  Client& client = connect({""}, "tab-1");
  say(client, R"( {"type":"chat","channel":"room:1","ref":"r"} )");
  const auto said = letters<Said>();
  REQUIRE(said.size() == 1);
  CHECK(said[0].kind == Said::Kind::message);
  CHECK(said[0].connection == 1);
  CHECK(said[0].sender == "?tab-1");
  CHECK(said[0].channel == "room:1");
  CHECK(said[0].ref == "r");
  CHECK(said[0].text == R"( {"type":"chat","channel":"room:1","ref":"r"} )");
}

TEST_CASE_FIXTURE(SpeakersBench, "A full outbox is told to who gave a ref") {
  SpeechRules rules = usual_rules();
  rules.rate.per_second = 0;
  SpeakersBench bench{rules};
  auto& client = bench.connect();
  for (std::size_t count = 0; count < Outbox::kMaxSaid; ++count)
    bench.say(client, R"({"type":"x","ref":"r"})");
  CHECK(client.transport->take_texts().empty());
  CHECK(begins(bench.heard(client, R"({"type":"x","ref":"r"})"), error("r", "inbox_full")));
  CHECK(bench.heard(client, R"({"type":"x"})").empty());
  CHECK(bench.refused(RefusedMessage::inbox_full) == 2);
}

TEST_CASE_FIXTURE(SpeakersBench, "Who says too much is told, and closed when it goes on") {
  Client& client = connect();
  for (int count = 0; count < 40; ++count) say(client, R"({"type":"x"})");
  CHECK(begins(heard(client, R"({"type":"x","ref":"r"})"), error("r", "rate_limited")));
  CHECK(heard(client, R"({"type":"x"})").empty());
  CHECK(begins(heard(client, R"({"type":"sync:subscribe","channel":"@"})"),
               R"({"type":"sync:refused")"));
  for (int tick = 0; tick < 10'000 && !client.session->closing(); ++tick) {
    relay.clock.advance(milliseconds(10));
    say(client, R"({"type":"x"})");
  }
  CHECK(client.transport->closed() == CloseCause::rate_limited);
  CHECK(letters<Said>().size() < 300);
}

TEST_CASE_FIXTURE(SpeakersBench, "An answer reaches who asked, behind the events before it") {
  Client& client = connect({"room:1"});
  Client& other = connect({"room:1"});
  say(client, R"({"type":"x","ref":"r"})");
  testing::UpdateSource source{1 << 20};
  post(source.event("room:1", Seq{1}, "an event"));
  post(std::make_shared<const Notes>(Notes{{{1, "an answer"}, {2, "nobody asked"}, {99, "gone"}}}));
  run();
  CHECK(client.transport->take_texts() == Texts{"an event", "an answer"});
  CHECK(other.transport->take_texts() == Texts{"an event"});
  leave(client);
  post(std::make_shared<const Notes>(Notes{{{1, "too late"}}}));
  run();
}

// Whose socket takes nothing is behind in the log; the answer waits there with the events.
TEST_CASE_FIXTURE(SpeakersBench,
                  "An answer does not overtake events that a client is slow to take") {
  for (const std::vector<std::string>& channels :
       {std::vector<std::string>{"room:1"}, std::vector<std::string>{"room:1", "room:2"}}) {
    SpeakersBench bench;
    Client& client = bench.connect(channels);
    bench.say(client, R"({"type":"x","ref":"r"})");
    client.transport->stall();
    testing::UpdateSource source{1 << 20};
    const auto answer = [&](const char* text) {
      bench.post(std::make_shared<const Notes>(Notes{{{1, text}}}));
    };
    bench.post(source.event("room:1", Seq{1}, "event 1"));
    bench.post(source.event("room:1", Seq{2}, std::string(100'000, 'e')));
    answer("answer 1");
    bench.run();
    answer("answer 2");
    bench.post(source.event("room:1", Seq{3}, "event 3"));
    bench.run();
    answer("answer 3");
    bench.run();
    CHECK(client.session->untold_bytes() == 24);
    client.transport->flow();
    client.transport->become_writable(*client.session);
    CHECK(client.transport->take_texts() == Texts{"event 1", std::string(100'000, 'e'), "event 3",
                                                  "answer 1", "answer 2", "answer 3"});
    CHECK(client.session->untold_bytes() == 0);
    CHECK(client.session->idle());
    CHECK(client.transport->fault() == "");
  }
}

TEST_CASE_FIXTURE(SpeakersBench, "Whatever a client takes at a time, its own event comes first") {
  for (std::size_t taken = 0; taken < 160; ++taken) {
    CAPTURE(taken);
    SpeakersBench bench;
    Client& client = bench.connect({"room:1"});
    bench.say(client, R"({"type":"x","ref":"r"})");
    testing::UpdateSource source{1 << 20};
    client.transport->take_in_all(taken);
    Texts expected;
    for (std::uint64_t number = 1; number <= 4; ++number) {
      const std::string text = "event " + std::to_string(number);
      const std::string answer = "answer " + std::to_string(number);
      bench.post(source.event("room:1", Seq{number}, text));
      bench.post(std::make_shared<const Notes>(Notes{{{1, answer}}}));
      if (number % 2 == 0) bench.run();
      expected.push_back(text);
      expected.push_back(answer);
    }
    client.transport->flow();
    client.transport->become_writable(*client.session);
    Texts texts = client.transport->take_texts();
    for (std::size_t number = 1; number <= 4; ++number) {
      const auto place = [&](const std::string& what) {
        return std::find(texts.begin(), texts.end(), what + std::to_string(number));
      };
      CHECK(place("event ") < place("answer "));
    }
    CHECK(texts.size() == 8);
    CHECK(client.transport->fault() == "");
  }
}

TEST_CASE_FIXTURE(SpeakersBench,
                  "A client that is moved to a snapshot gets its answers behind that") {
  const std::string large = '"' + std::string(300'000, 'v') + '"';
  testing::UpdateSource source{1 << 20};
  post(source.change("room:1", Seq{0}, "k", large.c_str()));
  run();
  Client& client = connect({"room:1"});
  run();
  client.transport->take_texts();
  say(client, R"({"type":"x","ref":"r"})");
  client.transport->stall();
  for (std::uint64_t number = 1; number <= 12; ++number) {
    post(source.event("room:1", Seq{number}, std::string(100'000, 'e')));
    run();
  }
  post(std::make_shared<const Notes>(Notes{{{1, "answer"}}}));
  run();
  client.transport->flow();
  while (client.transport->waits()) {
    client.transport->become_writable(*client.session);
    run();
  }
  const Texts texts = client.transport->take_texts();
  REQUIRE(texts.size() >= 2);
  CHECK(texts[0].find(R"("skipped":)") != std::string::npos);
  CHECK(texts.back() == "answer");
  CHECK(client.session->untold_bytes() == 0);
}

TEST_CASE_FIXTURE(SpeakersBench, "A client that does not read its answers is closed") {
  Client& client = connect();
  say(client, R"({"type":"x","ref":"r"})");
  client.transport->stall();
  testing::UpdateSource source{1 << 20};
  for (int count = 0; count < 100 && !client.session->closing(); ++count) {
    if (count == 10) post(source.event("", Seq{1}, "what the rest waits for"));
    post(std::make_shared<const Notes>(Notes{{{1, std::string(1000, 'a')}}}));
    run();
  }
  CHECK(client.transport->closed() == CloseCause::over_capacity);
}

TEST_CASE_FIXTURE(SpeakersBench, "A dismissal closes an identity's connections behind the events") {
  Client& one = connect({"room:1"});
  Client& two = connect({"room:1", "room:2"});
  Client& other = connect({"room:1"});
  say(one, kHello);
  say(two, kHello);
  one.transport->take_texts();
  two.transport->take_texts();
  letters<Said>();
  testing::UpdateSource source{1 << 20};
  post(source.event("room:1", Seq{1}, "an event"));
  post(std::make_shared<const Dismissal>(Dismissal{7, "dev-1", 0, 4001, "go"}));
  run();
  CHECK(one.transport->take_texts() == Texts{"an event"});
  CHECK(two.transport->take_texts() == Texts{"an event"});
  CHECK(one.transport->closed() == CloseCause::dismissed);
  CHECK(two.transport->closed() == CloseCause::dismissed);
  CHECK(one.session->known_speaker()->parting->code == 4001);
  CHECK(one.session->known_speaker()->parting->reason == "go");
  CHECK_FALSE(other.transport->closed());
  auto answers = letters<Dismissed>();
  REQUIRE(answers.size() == 1);
  CHECK(answers[0].dismissal == 7);
  CHECK(answers[0].count == 2);
  post(std::make_shared<const Dismissal>(Dismissal{8, "dev-1", 0, 4001, "go"}));
  post(std::make_shared<const Dismissal>(Dismissal{9, "", 3, 4000, "you"}));
  run();
  answers = letters<Dismissed>();
  REQUIRE(answers.size() == 2);
  CHECK(answers[0].count == 0);  // they are on their way already
  CHECK(answers[1].count == 1);
  CHECK(other.transport->closed() == CloseCause::dismissed);
}

TEST_CASE_FIXTURE(SpeakersBench, "A hundred thousand hellos of one client leave one identity") {
  Client& client = connect({"room:1"});
  Client& other = connect({"room:1"});
  for (int count = 0; count < 100'000; ++count) {
    if (count % 1000 == 0) relay.clock.advance(milliseconds(50));
    say(client, R"({"type":"sync:hello","id":"dev-1","info":{"n":)" + std::to_string(count) + "}}");
  }
  CHECK(stats.identities.get() == 1);
  CHECK(letters<Attendance>().size() == 1);
  CHECK(other.transport->take_texts().empty());
  CHECK(client.transport->take_texts().size() == 1);
}

// "connected 1 10.0.0.1", "disconnected 1 dev-1 1001 3000 ms".
Texts noticed(SpeakersBench& bench) {
  Texts texts;
  for (Noticed& noticed : bench.letters<Noticed>()) {
    for (; !noticed.notices.empty(); noticed.notices.pop_front()) {
      const Notice& notice = noticed.notices.front();
      std::string text = std::string(name(notice.event)) + ' ' + std::to_string(notice.connection);
      for (const std::string& part : {notice.address, notice.id})
        if (!part.empty()) text += ' ' + part;
      if (notice.event == WorkerEvent::disconnected) {
        text += ' ' + std::to_string(notice.code) + ' ';
        text += std::to_string(notice.duration / milliseconds(1)) + " ms";
      }
      texts.push_back(text);
    }
  }
  return texts;
}

TEST_CASE("Connections that come and go are told where the relay wants to hear of it") {
  SpeakersBench bench;
  SpeakersBench::Client& before = bench.connect();
  bench.leave(bench.connect());
  CHECK(noticed(bench).empty());
  bench.outbox.want(WorkerEvents().add(WorkerEvent::connected).add(WorkerEvent::disconnected));
  SpeakersBench::Client& client = bench.connect({"room:1"});
  bench.say(client, kHello);
  bench.relay.clock.advance(seconds(3));
  bench.leave(client, Farewell::leave, 1001);
  bench.leave(before);
  CHECK(noticed(bench) == Texts{"connected 3 unknown", "disconnected 3 dev-1 1001 3000 ms",
                                "disconnected 1 1006 3000 ms"});
  bench.outbox.want(WorkerEvents().add(WorkerEvent::connected));
  bench.leave(bench.connect());
  CHECK(noticed(bench) == Texts{"connected 4 unknown"});
}

}  // namespace
}  // namespace syncrelay
