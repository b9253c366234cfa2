// Clients that go from one shard to another faster than the log.

#include "syncrelay/shard/early_followers.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "support/choices.h"
#include "support/fake_transport.h"
#include "support/session_bench.h"
#include "support/update_source.h"
#include "syncrelay/channel/tombstones.h"
#include "syncrelay/json/json_parts.h"
#include "syncrelay/shard/shard.h"

namespace syncrelay {
namespace {

using testing::event_text;
using testing::FakeTransport;
using testing::SeededChoices;
using testing::SessionBench;
using testing::UpdateSource;
using Texts = std::vector<std::string>;

constexpr std::size_t kUnread = 200;  // of a mailbox, which would block this one thread

Shard::Settings shard_settings() {
  return {{},
          {1 << 20, 10'000},
          SessionBench::usual_times(),
          "e0",
          {ChannelRule({"*"}), 10, 100},
          {true, {}, {}, {}}};
}

SubscribeMessage wish_for(const std::string& channel) {
  return {channel, false, std::nullopt};
}
SubscribeMessage wish_for(const std::string& channel, std::uint64_t seq,
                          const std::string& epoch = "e0") {
  return {channel, true, AskedPosition{epoch, Seq{seq}}};
}

// "resume c1 7", "full c1 7", "event c1 8", "unsubscribed c1".
std::string summary(const std::string& text) {
  const std::string type(without_quotes(json_member(text, "type")));
  const std::string channel(without_quotes(json_member(text, "channel")));
  const std::string kind = type.starts_with("sync:") ? type.substr(5) : "event";
  const std::string seq(json_member(text, "seq"));
  return kind + ' ' + channel + (seq.empty() ? "" : ' ' + seq);
}

// Two shards that each run only when they are told to, fed with the same letters.
class TwoShards {
 public:
  struct Client {
    FakeTransport transport;
    std::size_t shard = 0;
    Session* session = nullptr;
  };

  TwoShards() {
    for (std::size_t index = 0; index < 2; ++index) {
      shards[index] =
          std::make_unique<Shard>(shard_settings(), clock, stats[index], *outboxes[index], [] {});
    }
  }
  ~TwoShards() {
    while (!clients.empty()) leave(*clients.back());
  }

  void event(const std::string& channel) {
    const Seq seq{++last[channel]};
    post(source.event(channel, seq, event_text(channel, "1", clock.wall(), seq)));
  }
  void drop(const std::string& channel) {
    post(source.end(channel, Seq{last[channel]}, ChannelEnd::dropped));
    ++last[channel];
  }
  void post(const Update& update) {
    for (std::size_t index = 0; index < 2; ++index) {
      if (++posted_[index] > kUnread) run(index);
      shards[index]->letters().post(update);
    }
  }
  void run(std::size_t shard) {
    while (shards[shard]->run()) {
    }
    posted_[shard] = 0;
  }
  void tick(std::size_t shard, int times) {
    while (times-- > 0) shards[shard]->tick();
  }

  Client& connect(std::size_t shard, std::vector<SubscribeMessage> wishes) {
    clients.push_back(std::make_unique<Client>());
    Client& client = *clients.back();
    client.shard = shard;
    ClientRequest request;
    request.subscriptions = std::move(wishes);
    client.session = &shards[shard]->add(ConnectionId{++connections_}, client.transport, request);
    return client;
  }
  void leave(Client& client) {
    shards[client.shard]->remove(*client.session);
    const auto is_it = [&](const auto& other) { return other.get() == &client; };
    clients.erase(std::find_if(clients.begin(), clients.end(), is_it));
  }
  void say(Client& client, ClientMessage message) {
    shards[client.shard]->hear(*client.session, std::move(message));
    client.session->answer();
  }
  Texts heard(Client& client) {
    Texts texts;
    for (const std::string& text : client.transport.take_texts()) texts.push_back(summary(text));
    return texts;
  }

  testing::FakeClock clock;
  std::array<ShardStats, 2> stats;
  std::array<std::unique_ptr<Outbox>, 2> outboxes{std::make_unique<Outbox>([] {}),
                                                  std::make_unique<Outbox>([] {})};
  std::array<std::unique_ptr<Shard>, 2> shards;
  std::vector<std::unique_ptr<Client>> clients;
  std::map<std::string, std::uint64_t> last;  // by channel, what its next event is behind
  UpdateSource source{1 << 20};

 private:
  std::array<std::size_t, 2> posted_{};
  std::uint64_t connections_ = 0;
};

TEST_CASE_FIXTURE(TwoShards,
                  "Who is ahead of a shard hears nothing until what it has heard is there") {
  for (int count = 0; count < 3; ++count) event("");
  run(0);
  Client& early = connect(0, {wish_for("")});
  CHECK(heard(early) == Texts{"full  3"});
  Client& back = connect(1, {wish_for("", 3)});
  CHECK(heard(back).empty());
  event("");
  tick(1, 3);
  CHECK(heard(back).empty());
  run(1);
  CHECK(heard(back) == Texts{"resume  3", "event  4"});
  CHECK(stats[1].resumes.get() == 1);
  tick(1, 8);
  CHECK(heard(back).empty());
}

TEST_CASE_FIXTURE(TwoShards, "Each of several channels is awaited by itself") {
  event("a");
  run(1);
  event("b");
  event("");
  Client& back = connect(1, {wish_for("a", 1), wish_for("b", 1), wish_for("c", 1)});
  CHECK(heard(back) == Texts{"resume a 1"});
  event("a");
  event("b");
  run(1);
  CHECK(heard(back) == Texts{"resume b 1", "event a 2", "event b 2"});
  event("c");
  event("c");
  event("a");
  run(1);
  CHECK(heard(back) == Texts{"resume c 1", "event c 2", "event a 3"});
}

TEST_CASE_FIXTURE(TwoShards, "A position that nobody gave out costs four ticks, then a snapshot") {
  event("");
  run(1);
  for (const std::uint64_t seq : {std::uint64_t{2}, std::uint64_t{1} << 53, UINT64_MAX}) {
    CAPTURE(seq);
    Client& alone = connect(1, {wish_for("", seq)});
    Client& several = connect(1, {wish_for("", seq), wish_for("a"), wish_for("b", seq)});
    CHECK(heard(several) == Texts{"full a 0"});
    tick(1, 3);
    CHECK(heard(alone).empty());
    CHECK(heard(several).empty());
    tick(1, 1);
    CHECK(heard(alone) == Texts{"full  1"});
    Texts rest = heard(several);
    std::sort(rest.begin(), rest.end());
    CHECK(rest == Texts{"full  1", "full b 0"});
  }
  CHECK(counter(stats[1].snapshots, SnapshotReason::resume_failed).get() == 9);
  event("");
  run(1);
  for (const auto& client : clients) CHECK(heard(*client) == Texts{"event  2"});
}

TEST_CASE_FIXTURE(TwoShards, "Nothing waits for one that waits, and it may leave") {
  event("a");
  Client& back = connect(1, {wish_for("a", 1), wish_for("b")});
  CHECK(heard(back) == Texts{"full b 0"});
  say(back, UnsubscribeMessage{"a"});
  CHECK(heard(back) == Texts{"unsubscribed a"});
  say(back, wish_for("a", 1));
  Client& other = connect(1, {wish_for("a", 1)});
  leave(other);
  run(1);
  CHECK(heard(back) == Texts{"resume a 1"});
  Client& vain = connect(1, {wish_for("a", 5)});
  CHECK(shards[1]->drained());
  leave(vain);
  tick(1, 8);
  CHECK(heard(back).empty());
}

TEST_CASE_FIXTURE(TwoShards, "No heartbeat comes before the first message") {
  Client& back = connect(1, {wish_for("", 1)});
  back.session->ask_for_heartbeat();
  back.session->answer();
  CHECK(back.transport.take_texts().empty());
  event("");
  run(1);
  tick(1, 1);
  const Texts texts = back.transport.take_texts();
  REQUIRE(texts.size() == 2);
  CHECK(texts[0].starts_with(R"({"type":"sync:resume")"));
  CHECK(texts[1] == R"({"type":"ping"})");
}

TEST_CASE_FIXTURE(TwoShards, "Who has heard of a drop already is not told of it again") {
  for (int count = 0; count < 5; ++count) event("room");
  run(1);
  Client& stayed = connect(1, {wish_for("room")});
  CHECK(heard(stayed) == Texts{"full room 5"});
  drop("room");
  run(0);
  Client& first = connect(0, {wish_for("room")});
  CHECK(heard(first) == Texts{"full room 6"});
  Client& at_begin = connect(1, {wish_for("room", 6)});
  Client& behind = connect(1, {wish_for("room", 7)});
  Client& of_before = connect(1, {wish_for("room", 4)});
  CHECK(heard(of_before) == Texts{"resume room 4", "event room 5"});
  run(1);
  CHECK(heard(stayed) == Texts{"unsubscribed room"});
  CHECK(heard(of_before) == Texts{"unsubscribed room"});
  CHECK(heard(at_begin) == Texts{"resume room 6"});
  CHECK(heard(behind).empty());
  event("room");
  event("room");
  run(1);
  CHECK(heard(at_begin) == Texts{"event room 7", "event room 8"});
  CHECK(heard(behind) == Texts{"resume room 7", "event room 8"});
}

TEST_CASE_FIXTURE(TwoShards, "A channel's own kind of name makes no difference to a drop") {
  event("@dev-1");
  run(1);
  drop("@dev-1");
  Client& back = connect(1, {wish_for("")});
  HelloMessage hello;
  hello.id = "dev-1";
  hello.wants_resume = true;
  hello.after = AskedPosition{"e0", Seq{3}};
  say(back, hello);
  CHECK(heard(back) == Texts{"full  0"});
  event("@dev-1");
  run(1);
  CHECK(heard(back) == Texts{"resume @dev-1 3"});
}

TEST_CASE_FIXTURE(TwoShards, "An epoch that a shard comes to a moment later is awaited, too") {
  for (std::size_t count = 0; count < Tombstones::kMax; ++count) {
    const std::string name = 'x' + std::to_string(count);
    post(source.end(name, Seq{1}, ChannelEnd::forgotten));
  }
  run(0);
  run(1);
  post(source.end("one more", Seq{1}, ChannelEnd::forgotten));
  event("room");
  run(0);
  Client& first = connect(0, {wish_for("room", 0)});
  const Texts texts = first.transport.take_texts();
  REQUIRE(texts.size() == 1);
  const std::string epoch(without_quotes(json_member(texts[0], "epoch")));
  CHECK(epoch == epoch_of("e0", 1));
  Client& back = connect(1, {wish_for("room", 1, epoch)});
  Client& stranger = connect(1, {wish_for("room", 1, epoch_of("e0", 2))});
  CHECK(heard(back).empty());
  CHECK(heard(stranger) == Texts{"full room 0"});
  run(1);
  CHECK(heard(back) == Texts{"resume room 1"});
  event("room");
  run(1);
  CHECK(heard(back) == Texts{"event room 2"});
}

TEST_CASE_FIXTURE(TwoShards, "There is room for so many and no more") {
  for (std::size_t count = 0; count < EarlyFollowers::kMax; ++count) connect(1, {wish_for("", 7)});
  CHECK(heard(*clients.back()).empty());
  CHECK(heard(connect(1, {wish_for("", 7)})) == Texts{"full  0"});
  leave(*clients.front());
  CHECK(heard(connect(1, {wish_for("", 7)})).empty());
}

// A client that goes from shard to shard with all its positions.
struct Hopper {
  std::vector<std::string> channels;
  TwoShards::Client* client = nullptr;
  std::map<std::string, std::uint64_t> at;  // by channel
  std::string fault;
  int resumes = 0;
  int drops = 0;

  void take(TwoShards& site) {
    for (const std::string& text : client->transport.take_texts()) take(site, text);
  }
  void take(TwoShards& site, const std::string& text) {
    const std::string type(without_quotes(json_member(text, "type")));
    const std::string channel(without_quotes(json_member(text, "channel")));
    if (type == "sync:unsubscribed") {
      ++drops;
      return site.say(*client, wish_for(channel));
    }
    const std::uint64_t seq = std::stoull(std::string(json_member(text, "seq")));
    const auto known = at.find(channel);
    const std::uint64_t before = known == at.end() ? 0 : known->second;
    const bool goes_on = type == "sync:full"     ? seq >= before
                         : type == "sync:resume" ? seq == before
                                                 : seq == before + 1;
    if (!goes_on && fault.empty()) fault = text + " behind " + std::to_string(before);
    resumes += type == "sync:resume" ? 1 : 0;
    at[channel] = seq;
  }
  void go(TwoShards& site, std::size_t shard) {
    if (client != nullptr) site.leave(*client);
    std::vector<SubscribeMessage> wishes;
    for (const std::string& channel : channels) {
      const auto known = at.find(channel);
      wishes.push_back(known == at.end() ? wish_for(channel) : wish_for(channel, known->second));
    }
    client = &site.connect(shard, std::move(wishes));
    take(site);
  }
};

TEST_CASE("However far shards are apart, who goes from one to another hears everything once") {
  int resumes = 0;
  int drops = 0;
  for (std::uint32_t seed = 1; seed <= 60; ++seed) {
    CAPTURE(seed);
    SeededChoices choices(seed);
    TwoShards site;
    const std::vector<std::string> names = {"", "a", "b", "c"};
    std::vector<Hopper> hoppers(6);
    for (Hopper& hopper : hoppers) {
      for (const std::string& name : names) {
        if (choices.one_in(2)) hopper.channels.push_back(name);
      }
      if (hopper.channels.empty()) hopper.channels.emplace_back("a");
      hopper.go(site, choices.below(2));
    }
    for (int step = 0; step < 600; ++step) {
      Hopper& hopper = hoppers[choices.below(6)];
      const std::string& name = names[choices.below(4)];
      switch (choices.below(8)) {
        case 0:
        case 1:
        case 2:
          site.event(name);
          break;
        case 3:
          choices.one_in(6) && !name.empty() ? site.drop(name) : site.event(name);
          break;
        case 4:
        case 5:
          site.run(choices.below(2));
          break;
        default:
          hopper.take(site);
          hopper.go(site, choices.one_in(4) ? hopper.client->shard : 1 - hopper.client->shard);
      }
    }
    for (int round = 0; round < 3; ++round) {  // who was dropped asks again
      for (const std::size_t shard : {0, 1}) site.run(shard);
      for (Hopper& hopper : hoppers) hopper.take(site);
    }
    for (const Hopper& hopper : hoppers) {
      REQUIRE(hopper.fault == "");
      REQUIRE(hopper.client->transport.fault() == "");
      for (const std::string& channel : hopper.channels)
        REQUIRE(hopper.at.at(channel) == site.last[channel]);
      resumes += hopper.resumes;
      drops += hopper.drops;
    }
    for (const ShardStats& stats : site.stats) {
      // What is not resumed was dropped behind the client's back.
      REQUIRE(stats.skipped_events.get() == 0);
    }
  }
  CHECK(resumes > 1000);
  CHECK(drops > 100);
}

}  // namespace
}  // namespace syncrelay
