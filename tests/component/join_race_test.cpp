// Clients join, leave and resume while events pour in: the snapshot and the events behind it never
// overlap and never leave a gap.

#include <doctest/doctest.h>

#include <string>

#include "relay_process.h"

namespace syncrelay {
namespace {

using testing::RelayProcess;
using testing::ShardThread;
using testing::ThreadedClient;

constexpr std::uint64_t kEvents = 3'000;
constexpr int kRounds = 100;

// Joins one client and ends an earlier one, which a third one takes over at its position. On the
// shard's thread.
void change_clients(ShardThread& shard, int round) {
  shard.connect();
  if (round % 3 != 0) return;
  ThreadedClient& leaving = *shard.clients()[static_cast<std::size_t>(round) / 3];
  if (leaving.session == nullptr) return;
  for (testing::WireMessage& message : leaving.transport.take_messages())
    leaving.messages.push_back(std::move(message));
  ClientRequest request;
  request.subscriptions = {
      {"", true, AskedPosition{testing::kEpoch, Seq{static_cast<std::uint64_t>(round)}}}};
  shard.disconnect(leaving);
  shard.connect(request);
}

TEST_CASE("Whenever a client joins or resumes, it misses nothing and gets nothing twice") {
  RelayProcess process({2, {64 << 20, 100'000}});
  process.start_shards();
  process.start_publishing(kEvents, {1, 50, 100});
  for (int round = 0; round < kRounds; ++round) {
    // Spread over the whole time of publishing; waiting now and then, so that no shard stays behind
    // with all of them.
    process.wait_for_published(kEvents * static_cast<std::uint64_t>(round) / kRounds);
    for (std::size_t index = 0; index < process.shards(); ++index) {
      ShardThread& shard = process.shard(index);
      shard.post_task([&shard, round] { change_clients(shard, round); });
      if (round % 10 == 9) shard.run_task([] {});
    }
  }
  process.stop();
  std::uint64_t resumes = 0;
  std::uint64_t joined_later = 0;
  for (std::size_t index = 0; index < process.shards(); ++index) {
    for (const auto& client : process.shard(index).clients()) {
      REQUIRE(process.fault_of(*client) == "");
      const testing::ClientModel view = process.view_of(*client);
      resumes += view.resumes();
      joined_later += view.joined_at() > 0 ? 1 : 0;
      REQUIRE(view.skipped() == 0);
      REQUIRE(view.snapshots() + view.resumes() == 1);
    }
  }
  CHECK(resumes > 0);
  CHECK(joined_later > 0);
}

// The position that a client's newest message tells.
std::uint64_t position_of(const ThreadedClient& client) {
  const std::string& text = client.messages.back().text;
  return std::stoull(text.substr(text.rfind(R"("seq":)") + 6));
}

// Ends the client and returns where it stood; 0: it has heard nothing yet. On the shard's thread.
std::uint64_t leave(ShardThread& shard, ThreadedClient& client) {
  for (testing::WireMessage& message : client.transport.take_messages())
    client.messages.push_back(std::move(message));
  const std::uint64_t position = client.messages.empty() ? 0 : position_of(client);
  shard.disconnect(client);
  return position;
}

TEST_CASE("Who goes from shard to shard with its position goes on exactly there") {
  constexpr std::uint64_t kMoreEvents = 20'000;
  constexpr std::uint64_t kHops = 500;
  constexpr std::size_t kShards = 4;
  struct Visit {
    std::uint64_t from;  // its position when it came
    ThreadedClient* client;
  };
  RelayProcess process({kShards, {64 << 20, 100'000}});
  process.start_shards();
  std::vector<Visit> visits(1, {0, nullptr});
  process.shard(0).run_task([&] { visits.back().client = &process.shard(0).connect(); });
  process.start_publishing(kMoreEvents, {1, 50, 100});
  for (std::uint64_t round = 0; round < kHops; ++round) {
    const std::size_t at = round % kShards;
    process.wait_for_published(kMoreEvents * round / kHops);
    std::uint64_t position = 0;
    ShardThread& here = process.shard(at);
    ShardThread& there = process.shard((at + 1) % kShards);
    here.run_task([&] { position = leave(here, *visits.back().client); });
    if (position == 0) position = visits.back().from;
    ClientRequest request;
    request.subscriptions = {{"", true, AskedPosition{testing::kEpoch, Seq{position}}}};
    visits.push_back({position, nullptr});
    there.run_task([&] { visits.back().client = &there.connect(request); });
  }
  process.stop();
  std::uint64_t heard = 0;
  for (const Visit& visit : visits) {
    REQUIRE(process.fault_of(*visit.client) == "");
    if (visit.client->messages.empty()) continue;
    const testing::ClientModel view = process.view_of(*visit.client);
    REQUIRE(view.joined_at() == visit.from);
    REQUIRE(view.snapshots() == (&visit == &visits.front() ? 1 : 0));
    heard += view.events();
  }
  CHECK(heard == kMoreEvents);
}

}  // namespace
}  // namespace syncrelay
