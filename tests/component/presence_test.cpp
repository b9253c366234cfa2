// Who attends a channel comes from shards, becomes letters in the one order, and reaches the
// clients of all shards.

#include <doctest/doctest.h>

#include <map>
#include <string>
#include <vector>

#include "shard_thread.h"
#include "support/choices.h"
#include "support/fake_clock.h"
#include "syncrelay/base/log.h"
#include "syncrelay/channel/member.h"
#include "syncrelay/json/json_parts.h"
#include "syncrelay/post/outbox.h"
#include "syncrelay/relay/intake.h"
#include "syncrelay/relay/order.h"
#include "syncrelay/relay/relay.h"

namespace syncrelay {
namespace {

using std::chrono::seconds;
using testing::SeededChoices;
using testing::ShardThread;
using testing::ThreadedClient;
using Members = std::map<std::string, std::string>;  // by id, as clients see them

Shard::Settings shard_settings() {
  using std::chrono::hours;
  return {{},
          {1 << 20, 10'000},
          {hours(1), hours(1), Duration::zero(), hours(1)},
          "e0",
          {ChannelRule({"*"}), 10, 100},
          {true, ChannelPatterns({"", "room"})}};
}

// The relay's thread is the test's; nobody but the relay hears of the time that passes.
class Site {
 public:
  explicit Site(const Channels::Settings& channels = {}) {
    std::vector<Mailbox<Letter>*> mailboxes;
    for (int count = 0; count < 2; ++count) {
      shards.push_back(std::make_unique<ShardThread>(shard_settings(), still_));
      mailboxes.push_back(&shards.back()->letters());
      outboxes_.push_back(std::make_unique<Outbox>([this] { ++wakes; }));
    }
    const Relay::Settings settings{
        channels, {1 << 20, 10'000}, {1000, seconds(600)}, {}, {seconds(30), seconds(5)}};
    relay = std::make_unique<Relay>(settings, clock, mailboxes, stats, nullptr);
    intake =
        std::make_unique<Intake>(Intake::Settings{1 << 20}, *relay, order_, stats, clock, log_);
    for (const auto& shard : shards) shard->start();
  }
  ~Site() { stop(); }

  // What a shard says, and what the relay makes of it.
  void attend(std::size_t shard, Attendance attendance) {
    outboxes_[shard]->put(std::move(attendance));
    std::vector<UpLetter> letters;
    outboxes_[shard]->take(letters);
    for (const UpLetter& letter : letters) relay->attend(shard, std::get<Attendance>(letter));
    tend();
  }
  void pass(Duration time) {
    clock.advance(time);
    tend();
  }
  void tend() {
    intake->tend();
    intake->publish();
  }
  void send(std::string_view command) {
    intake->take(command, kNobody);
    intake->publish();
  }

  ThreadedClient& connect(std::size_t shard, const std::string& channel = {}) {
    ClientRequest request;
    request.subscriptions = {{channel}};
    ThreadedClient* client = nullptr;
    shards[shard]->run_task([] {});  // behind which it takes in what was posted
    shards[shard]->run_task([&] { client = &shards[shard]->connect(request); });
    return *client;
  }
  void stop() {
    for (const auto& shard : shards) shard->stop();
  }

  Members members(std::string_view channel) const {
    Members members;
    if (const Channel* const found = relay->channels().find(channel)) {
      found->members.get().for_each(
          [&](const State::Entry& entry) { members[entry.key] = *entry.value; });
    }
    return members;
  }

  testing::FakeClock clock;
  RelayStats stats;
  int wakes = 0;
  std::vector<std::unique_ptr<ShardThread>> shards;
  std::unique_ptr<Relay> relay;
  std::unique_ptr<Intake> intake;

 private:
  const testing::FakeClock still_;
  Log log_{{LogLevel::error, LogFormat::text}};
  LocalOrder order_{clock};
  std::vector<std::unique_ptr<Outbox>> outboxes_;
};

std::shared_ptr<const std::string> info(std::string text) {
  return std::make_shared<const std::string>(std::move(text));
}

// What a client makes of what it got, and whether each message follows the one before.
Members fold(const std::vector<std::string>& texts) {
  Members members;
  std::uint64_t seq = 0;
  for (const std::string& text : texts) {
    const std::string type(without_quotes(json_member(text, "type")));
    const std::uint64_t number = std::stoull(std::string(json_member(text, "seq")));
    const std::string_view data = json_member(text, "data");
    const std::string id(without_quotes(json_member(data, "id")));
    if (type == "sync:full") {
      members.clear();
      for (const JsonPart& part : json_parts(json_member(text, "members")))
        members[std::string(part.name)] = part.value;
    } else {
      CHECK(number == seq + 1);
      if (type == "sync:left") {
        CHECK(members.erase(id) == 1);
      } else if (type == "sync:joined" || type == "sync:changed") {
        CHECK(members.count(id) == (type == "sync:changed" ? 1 : 0));
        members[id] = member_text({json_member(data, "info"), json_member(data, "since")});
      }
    }
    seq = number;
  }
  return members;
}

TEST_CASE("Who comes and goes is told to the clients of all shards") {
  Site site;
  ThreadedClient& near = site.connect(0, "room");
  ThreadedClient& far = site.connect(1, "room");
  site.attend(0, {"room", "dev-1", info(R"({"name":"Phone"})"), 1});
  CHECK(site.wakes == 1);
  site.pass(seconds(1));
  site.attend(1, {"room", "dev-1", info(R"({ "name": "Tablet" })"), 1});
  ThreadedClient& late = site.connect(1, "room");
  site.attend(0, {"room", "dev-1", nullptr, 0});
  site.attend(1, {"room", "dev-1", nullptr, 0, true});
  site.pass(seconds(4));
  CHECK(site.members("room").size() == 1);
  site.pass(seconds(1));
  site.stop();
  const std::vector<std::string> texts = testing::texts(near.messages);
  REQUIRE(texts.size() == 4);
  CHECK(
      texts[0].starts_with(R"({"type":"sync:full","channel":"room","data":{},"members":{},"ts":)"));
  CHECK(texts[1] ==
        R"({"type":"sync:joined","channel":"room","data":{"id":"dev-1","info":{"name":"Phone"},)"
        R"("since":1763838000.123456},"ts":1763838000.123456,"seq":1})");
  CHECK(
      texts[2] ==
      R"({"type":"sync:changed","channel":"room","data":{"id":"dev-1","info":{ "name": "Tablet" },)"
      R"("since":1763838000.123456},"ts":1763838001.123456,"seq":2})");
  CHECK(
      texts[3] ==
      R"({"type":"sync:left","channel":"room","data":{"id":"dev-1"},"ts":1763838006.123456,"seq":3})");
  CHECK(testing::texts(far.messages) == texts);
  CHECK(testing::texts(late.messages)
            .front()
            .find(R"("data":{},"members":{"dev-1":{"info":{ "name": "Tablet" },)"
                  R"("since":1763838000.123456}},"ts":)") != std::string::npos);
}

TEST_CASE("Snapshot and events make the same members for every client, whenever it comes") {
  for (std::uint32_t seed = 0; seed < 20; ++seed) {
    CAPTURE(seed);
    SeededChoices choices(seed);
    Channels::Settings settings;
    settings.max_members = 6;
    if (seed % 2 == 0) settings.members_event = "devices:updated";
    Site site(settings);
    std::vector<std::pair<std::string, ThreadedClient*>> clients;
    for (int step = 0; step < 200; ++step) {
      const std::string channel = choices.one_in(3) ? "" : "room";
      const std::string id = "dev-" + std::to_string(choices.below(8));
      const bool comes = !choices.one_in(2);
      const auto said = comes ? info("{\"n\":" + std::to_string(choices.below(3)) + '}') : nullptr;
      site.attend(choices.below(2), {channel, id, said, comes ? 1U : 0U, choices.one_in(2)});
      if (choices.one_in(4)) site.pass(seconds(choices.below(20)));
      if (choices.one_in(10)) site.send(R"({"op":"set","key":"k","value":1,"channel":"room"})");
      if (choices.one_in(20))
        clients.emplace_back(channel, &site.connect(choices.below(2), channel));
    }
    site.stop();
    CHECK(site.stats.members.get() == site.members("").size() + site.members("room").size());
    for (const auto& [channel, client] : clients) {
      CHECK(client->transport.fault().empty());
      CHECK(fold(testing::texts(client->messages)) == site.members(channel));
    }
  }
}

}  // namespace
}  // namespace syncrelay
