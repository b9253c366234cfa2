// A session that follows several channels.

#include <doctest/doctest.h>

#include "support/session_bench.h"
#include "support/update_source.h"

namespace syncrelay {
namespace {

using testing::event_text;
using testing::SessionBench;
using testing::UpdateSource;
using Texts = std::vector<std::string>;

constexpr const char* kTs = "1763838000.123456";

std::string full(const std::string& channel, std::uint64_t seq, const std::string& data = "{}",
                 const std::string& more = {}) {
  return R"({"type":"sync:full","channel":")" + channel + R"(","data":)" + data + R"(,"ts":)" +
         kTs + R"(,"seq":)" + std::to_string(seq) + R"(,"epoch":"e0")" + more + '}';
}

std::string unsubscribed(const std::string& channel, const std::string& more = {}) {
  return R"({"type":"sync:unsubscribed","channel":")" + channel + '"' + more + '}';
}

ClientRequest wanting(const std::vector<std::string>& channels) {
  ClientRequest request;
  request.subscriptions.clear();
  for (const std::string& channel : channels) request.subscriptions.push_back({channel});
  return request;
}

// The code of a sync:refused of this channel; empty: it is something else.
std::string refusal(const std::string& text, const std::string& channel) {
  const std::string begin = R"({"type":"sync:refused","channel":")" + channel + R"(","code":")";
  if (text.substr(0, begin.size()) != begin) return {};
  return text.substr(begin.size(), text.find('"', begin.size()) - begin.size());
}

class ChannelsBench : public SessionBench {
 public:
  using SessionBench::SessionBench;

  // The next event of the channel, whose number is known by the replica.
  void event(const std::string& channel, const std::string& data = "1") {
    const ReplicaChannel* const found = replica.find(channel);
    const Seq seq = found == nullptr ? Seq{1} : found->log.next();
    take_in(source.event(channel, seq, text(channel, seq.value, data)));
  }
  void drop(const std::string& channel) {
    const Seq last = replica.find(channel)->last();
    take_in(source.end(channel, last, ChannelEnd::dropped));
  }
  void subscribe(const std::string& channel) { subscriptions.subscribe(*session, {channel}); }
  void unsubscribe(const std::string& channel) { subscriptions.unsubscribe(*session, channel); }

  std::string text(const std::string& channel, std::uint64_t seq, const std::string& data = "1") {
    return event_text(channel, data, relay.clock.wall(), Seq{seq});
  }
  std::vector<Subscribers> counted() {
    std::vector<UpLetter> letters;
    outbox.take(letters);
    std::vector<Subscribers> all;
    for (const UpLetter& letter : letters) all.push_back(std::get<Subscribers>(letter));
    return all;
  }

  UpdateSource source{1 << 20};
};

TEST_CASE_FIXTURE(ChannelsBench,
                  "Each channel begins with its own first message, in the order asked") {
  event("room:1");
  connect(wanting({"room:2", "", "room:1"}));
  CHECK(received() == Texts{full("room:2", 0), snapshot(0), full("room:1", 1)});
  CHECK(session->info().subscriptions == 3);
  CHECK(stats.subscriptions.get() == 3);
}

TEST_CASE_FIXTURE(ChannelsBench,
                  "Events of several channels come in the order of the log, in one write") {
  connect(wanting({"room:1", "room:2"}));
  received();
  for (const char* channel : {"room:1", "room:2", "room:2", "room:3", "room:1"}) event(channel);
  const std::size_t writes = transport.writes();
  CHECK(received() ==
        Texts{text("room:1", 1), text("room:2", 1), text("room:2", 2), text("room:1", 2)});
  CHECK(transport.writes() == writes + 2);  // one for what lies before the third channel's
  CHECK(session->idle());
}

TEST_CASE_FIXTURE(ChannelsBench,
                  "A connection may stop at every byte of several channels' events") {
  const std::vector<const char*> order = {"room:1", "room:2", "room:1", "room:1", "room:2"};
  for (std::size_t taken = 0; taken < 400; ++taken) {
    CAPTURE(taken);
    ChannelsBench bench;
    bench.connect(wanting({"room:1", "room:2"}));
    bench.received();
    bench.transport.take_in_all(taken);
    Texts expected;
    for (const char* channel : order) {
      const ReplicaChannel* const found = bench.replica.find(channel);
      expected.push_back(bench.text(channel, found->log.next().value));
      bench.event(channel);
    }
    bench.pump();
    REQUIRE(bench.transport.between_frames());
    REQUIRE(bench.drain() == expected);
    REQUIRE(bench.transport.fault() == "");
    REQUIRE(bench.session->idle());
    REQUIRE(bench.stats.frames_sent.get() == 2 + order.size());
  }
}

TEST_CASE_FIXTURE(ChannelsBench, "Nothing of another channel comes between a message's fragments") {
  connect(wanting({"room:1", "room:2"}));
  received();
  const std::string large = '"' + std::string(200'000, 'x') + '"';
  event("room:1", large);
  transport.take_in_all(1000);
  pump();
  REQUIRE_FALSE(transport.between_messages());
  event("room:2");
  subscribe("room:3");
  unsubscribe("room:1");
  CHECK(drain() == Texts{text("room:1", 1, large), unsubscribed("room:1"), full("room:3", 0),
                         text("room:2", 1)});
  CHECK(transport.fault() == "");
}

TEST_CASE_FIXTURE(ChannelsBench, "A large snapshot is ended before the channel's end is told") {
  const std::string large = '"' + std::string(200'000, 'x') + '"';
  take_in(source.change("room:1", Seq{0}, "k", large.c_str()));
  transport.take_in_all(1000);
  connect(wanting({"room:1", "room:2"}));
  REQUIRE_FALSE(transport.between_messages());
  unsubscribe("room:1");
  event("room:1");
  event("room:2");
  CHECK(drain() == Texts{full("room:1", 0, "{\"k\":" + large + '}'), unsubscribed("room:1"),
                         full("room:2", 1)});
}

TEST_CASE_FIXTURE(ChannelsBench, "A subscription that ends before its first message has none") {
  connect(wanting({""}));
  received();
  transport.stall();
  event("");
  pump();
  subscribe("room:1");
  unsubscribe("room:1");
  subscribe("room:1");
  CHECK(drain() == Texts{unsubscribed("room:1"), full("room:1", 0), text("", 1)});
}

TEST_CASE_FIXTURE(ChannelsBench, "A channel is resumed under its own epoch and number only") {
  for (int count = 0; count < 3; ++count) event("room:1");
  const auto first_of = [this](const std::string& epoch, std::uint64_t seq) {
    ClientRequest request;
    request.subscriptions = {{"room:1", true, AskedPosition{epoch, Seq{seq}}}};
    connect(request);
    return received();
  };
  const std::string resumed =
      R"({"type":"sync:resume","channel":"room:1","data":{"from":3,"to":3},"ts":)" +
      std::string(kTs) + R"(,"seq":2,"epoch":"e0"})";
  CHECK(first_of("e0", 2) == Texts{resumed, text("room:1", 3)});
  CHECK(first_of("e1", 2) == Texts{full("room:1", 3)});
  CHECK(first_of("E0", 2) == Texts{full("room:1", 3)});
  CHECK(first_of("e0", 4).empty());
  CHECK(stats.resumes.get() == 1);
}

TEST_CASE("A client that falls out of the window in one channel skips there and nowhere else") {
  ChannelsBench bench({1 << 20, 4});
  bench.connect(wanting({"room:1", "room:2"}));
  bench.received();
  bench.transport.stall();
  for (int count = 0; count < 3; ++count) bench.event("room:1");
  bench.pump();
  for (int count = 0; count < 4; ++count) bench.event("room:2");
  CHECK(bench.session->lag() == 7);
  CHECK(bench.drain() == Texts{full("room:1", 3, "{}", R"(,"skipped":3)"), bench.text("room:2", 1),
                               bench.text("room:2", 2), bench.text("room:2", 3),
                               bench.text("room:2", 4)});
  CHECK(bench.stats.skipped_events.get() == 3);
}

TEST_CASE_FIXTURE(ChannelsBench, "What may not be followed is refused, and the connection stays") {
  connect(wanting({"room:1", "@room", "hall", "a b", "room:1", std::string(129, 'n')}));
  const Texts texts = received();
  REQUIRE(texts.size() == 6);
  CHECK(refusal(texts[0], "@room") == "forbidden");
  CHECK(refusal(texts[1], "hall") == "forbidden");
  CHECK(refusal(texts[2], "a b") == "invalid_channel");
  CHECK(refusal(texts[3], "room:1") == "already_subscribed");
  CHECK(refusal(texts[4], std::string(128, 'n')) == "invalid_channel");
  CHECK(texts[5] == full("room:1", 0));
  for (const char* name : {"room:2", "room:3", "room:4", ""}) subscribe(name);
  CHECK(received().size() == 4);
  subscribe("room:5");
  CHECK(refusal(received().front(), "room:5") == "too_many_subscriptions");
  unsubscribe("");
  received();
  subscribe("room:5");
  CHECK(refusal(received().front(), "room:5") == "channels_full");
  event("room:6");
  subscribe("room:6");
  CHECK(received() == Texts{full("room:6", 1)});  // it is there anyhow
  const auto refused = [this](RefusedSubscription why) {
    return counter(stats.subscriptions_refused, why).get();
  };
  CHECK(refused(RefusedSubscription::forbidden) == 2);
  CHECK(refused(RefusedSubscription::channels_full) == 1);
}

TEST_CASE_FIXTURE(ChannelsBench, "The relay is told of every change in the number of subscribers") {
  connect(wanting({"room:1"}));
  REQUIRE(counted().size() == 1);
  unsubscribe("room:1");
  const auto after = counted();
  REQUIRE(after.size() == 1);
  CHECK(after[0].channel == "room:1");
  CHECK(after[0].count == 0);
  subscribe("room:1");
  counted();
  end();
  CHECK(counted().front().count == 0);
  CHECK(replica.find("room:1") == nullptr);  // nobody needs it
}

TEST_CASE_FIXTURE(ChannelsBench, "The end of a channel is told, with what did not come before it") {
  connect(wanting({"room:1", "room:2"}));
  received();
  event("room:1");
  received();
  transport.stall();
  event("room:2");
  event("room:1");
  event("room:1");
  pump();
  drop("room:1");
  subscriptions.end_dropped(1);
  CHECK(drain() ==
        Texts{unsubscribed("room:1", R"(,"reason":"dropped","skipped":2)"), text("room:2", 1)});
  subscribe("room:1");
  CHECK(received() == Texts{full("room:1", 4)});  // no position of before has a meaning
  CHECK(stats.skipped_events.get() == 2);
}

TEST_CASE_FIXTURE(
    ChannelsBench,
    "The end of a channel tells those who come back what they miss before they begin") {
  for (int count = 0; count < 3; ++count) event("room:1");
  connect(wanting({"room:2"}));
  received();
  transport.stall();
  event("room:2");
  pump();
  subscriptions.subscribe(*session, {"room:1", true, AskedPosition{"e0", Seq{1}}});
  drop("room:1");
  subscriptions.end_dropped(1);
  CHECK(drain() ==
        Texts{unsubscribed("room:1", R"(,"reason":"dropped","skipped":2)"), text("room:2", 1)});
}

TEST_CASE_FIXTURE(ChannelsBench, "Who asks and never reads is closed") {
  connect(wanting({}));
  transport.stall();
  for (int count = 0; count < 10'000 && !session->closing(); ++count) {
    subscribe("room:1");
    unsubscribe("room:1");
    REQUIRE(session->untold_bytes() < Session::kMaxUntoldBytes + 1000);
  }
  CHECK(transport.closed() == CloseCause::over_capacity);
}

TEST_CASE_FIXTURE(ChannelsBench,
                  "Who asks without end and reads goes on, and leaves nothing behind") {
  connect(wanting({"room:1", ""}));
  for (int count = 0; count < 20'000; ++count) {
    subscribe("room:2");
    unsubscribe("room:2");
    if (count % 100 == 0) transport.take_messages();
  }
  received();
  CHECK_FALSE(session->closing());
  CHECK(session->followers().size() == 2);
  CHECK(replica.channels() == 2);
}

TEST_CASE_FIXTURE(ChannelsBench, "Who follows nothing is pinged and hears what he asks for") {
  connect(wanting({}));
  CHECK(received().empty());
  ask();
  CHECK(received() == Texts{R"({"type":"ping"})"});
  advance(std::chrono::seconds(20));
  CHECK(received() == Texts{"<ping>"});
  CHECK(session->idle());
}

TEST_CASE_FIXTURE(ChannelsBench,
                  "Channels whose numbers begin anew give those who wait a new snapshot") {
  Tombstones full_table;
  Tombstones::ByHash many;
  for (std::uint64_t hash = 1; hash <= Tombstones::kMax; ++hash) many[hash] = Seq{9};
  many.erase(1);
  many[Tombstones::hash("room:1")] = Seq{7};
  full_table.restore(std::move(many), 0);
  Restored restored;
  restored.tombstones = std::move(full_table);
  replica.restore(restored);
  connect(wanting({"room:1", ""}));
  CHECK(received().front() == full("room:1", 7));
  take_in(source.end("other", Seq{1}, ChannelEnd::forgotten));  // one too many: all is forgotten
  take_in(source.event("room:1", Seq{1}, text("room:1", 1)));
  const Texts texts = received();
  REQUIRE(texts.size() == 2);
  CHECK(texts[0].find(R"(,"seq":0,"epoch":")" + epoch_of("e0", 1) + "\"}") != std::string::npos);
  CHECK(texts[1] == text("room:1", 1));
  CHECK(counter(stats.snapshots, SnapshotReason::renumbered).get() == 1);
}

}  // namespace
}  // namespace syncrelay
