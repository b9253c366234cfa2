#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "support/session_bench.h"
#include "syncrelay/shard/shard.h"

namespace syncrelay {
namespace {

using testing::FakeTransport;
using testing::SessionBench;
using testing::TestRelay;
using Kinds = std::vector<StoryKind>;

// A shard that is asked what happened to its clients.
class StoryBench {
 public:
  explicit StoryBench(std::uint64_t window_bytes = 1 << 20)
      : relay(testing::relay_settings(window_bytes)),
        shard({{}, {window_bytes, 100}, SessionBench::usual_times(), "e0"}, relay.clock, stats,
              outbox, [] {}) {}
  ~StoryBench() {
    for (Session* session : here) shard.remove(*session);
  }

  Session& connect(const ClientRequest& request = {}) {
    transports.push_back(std::make_unique<FakeTransport>());
    here.push_back(&shard.add(ConnectionId{transports.size()}, *transports.back(), request));
    return *here.back();
  }

  void broadcast(std::size_t bytes) {
    REQUIRE(relay.send(R"({"op":"broadcast","type":"e","data":")" + std::string(bytes, 'x') + "\"}")
                .ok());
    for (const Update& update : relay.take_updates()) shard.letters().post(update);
    while (shard.run()) {
    }
  }

  void run_for(Duration time) {
    constexpr Duration kTick = std::chrono::milliseconds(250);
    for (; time > Duration::zero(); time -= kTick) {
      relay.clock.advance(kTick);
      shard.tick();
    }
  }

  Told ask(std::uint64_t connection, std::string id = {}) {
    shard.letters().post(
        std::make_shared<const StoryInquiry>(StoryInquiry{1, std::move(id), connection}));
    while (shard.run()) {
    }
    std::vector<UpLetter> letters;
    outbox.take(letters);
    for (UpLetter& letter : letters) {
      if (auto* told = std::get_if<Told>(&letter)) return std::move(*told);
    }
    FAIL("nothing was told");
    return {};
  }

  std::vector<StoryRecord> story(std::uint64_t connection) {
    asked = ask(connection);
    REQUIRE(asked.stories.size() == 1);
    return asked.stories.front().story.records();
  }

  Kinds kinds(std::uint64_t connection) {
    Kinds kinds;
    for (const StoryRecord& record : story(connection)) kinds.push_back(record.kind);
    return kinds;
  }

  TestRelay relay;
  ShardStats stats;
  Outbox outbox{[] {}};
  Shard shard;
  std::vector<std::unique_ptr<FakeTransport>> transports;
  std::vector<Session*> here;
  Told asked;
};

TEST_CASE_FIXTURE(StoryBench, "Events write nothing into a story") {
  connect();
  for (int count = 0; count < 50; ++count) broadcast(10);
  CHECK(kinds(1) == Kinds{StoryKind::connected, StoryKind::followed});
  CHECK(asked.stories.front().now);
}

TEST_CASE_FIXTURE(StoryBench, "A client that takes nothing for a second is slow, once") {
  connect();
  transports[0]->stall();
  broadcast(10);
  run_for(std::chrono::milliseconds(1000));
  CHECK(kinds(1).size() == 2);
  run_for(std::chrono::seconds(5));
  CHECK(kinds(1).back() == StoryKind::slow);
  CHECK(kinds(1).size() == 3);
  transports[0]->flow();
  transports[0]->become_writable(*here[0]);
  run_for(std::chrono::seconds(2));
  CHECK(kinds(1).back() == StoryKind::caught_up);
  CHECK(kinds(1).size() == 4);
}

TEST_CASE_FIXTURE(StoryBench, "What was skipped is told with where it went on") {
  connect();
  transports[0]->stall();
  for (int count = 0; count < 300; ++count) broadcast(10);
  transports[0]->flow();
  transports[0]->become_writable(*here[0]);
  const auto records = story(1);
  REQUIRE(records.back().kind == StoryKind::skipped);
  CHECK(records.back().a + 1 >= 299);
  CHECK(records.back().b == 300);
}

TEST_CASE_FIXTURE(StoryBench, "A position that it cannot go on at is told with the reason") {
  broadcast(10);
  ClientRequest request;
  request.subscriptions = {{"", true, AskedPosition{"other", Seq{7}}}};
  connect(request);
  request.subscriptions = {{"", true, std::nullopt}};
  connect(request);
  request.subscriptions = {{"", true, AskedPosition{"e0", Seq{0}}}};
  connect(request);
  const auto other = story(1);
  CHECK(other[1].kind == StoryKind::not_resumed);
  CHECK(other[1].a == 7);
  CHECK(static_cast<NoResume>(other[1].b) == NoResume::other_epoch);
  CHECK(other[2].kind == StoryKind::followed);
  CHECK(static_cast<NoResume>(story(2)[1].b) == NoResume::no_position);
  const auto resumed = story(3);
  CHECK(resumed[1].kind == StoryKind::resumed);
  CHECK(resumed[1].b == 1);
}

TEST_CASE_FIXTURE(StoryBench, "Those who are gone are told of, and those whom nobody knows not") {
  connect();
  shard.remove(*here[0]);
  here.clear();
  CHECK(kinds(1).size() == 2);
  CHECK_FALSE(asked.stories.front().now);
  CHECK(ask(2).stories.empty());
  CHECK(ask(0, "nobody").stories.empty());
  CHECK(stats.stories.get() == 1);
}

}  // namespace
}  // namespace syncrelay
