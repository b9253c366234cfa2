// Relay and shards on threads of their own, with the real mailboxes between them.

#include <doctest/doctest.h>

#include "relay_process.h"

namespace syncrelay {
namespace {

using testing::RelayProcess;
using testing::ThreadedClient;

void connect_to_all(RelayProcess& process, int clients) {
  for (std::size_t index = 0; index < process.shards(); ++index) {
    process.shard(index).run_task([&] {
      for (int count = 0; count < clients; ++count) process.shard(index).connect();
    });
  }
}

std::vector<std::string> events_of(const ThreadedClient& client) {
  std::vector<std::string> texts = testing::texts(client.messages);
  if (!texts.empty()) texts.erase(texts.begin());  // the snapshot
  return texts;
}

TEST_CASE("All clients of all shards get the same events in the same order") {
  RelayProcess process({4, {1 << 20, 100'000}});
  process.start_shards();
  connect_to_all(process, 5);
  process.start_publishing(5'000, {1, 20, 200, 3'000});
  process.stop();
  const std::vector<std::string> expected = events_of(*process.shard(0).clients().front());
  CHECK(expected.size() == 5'000);
  for (std::size_t index = 0; index < process.shards(); ++index) {
    REQUIRE(process.shard(index).clients().size() == 5);
    for (const auto& client : process.shard(index).clients()) {
      CHECK(process.fault_of(*client) == "");
      CHECK(events_of(*client) == expected);
    }
    CHECK(process.shard(index).stats().skipped_events.get() == 0);
  }
  CHECK(process.stats.events.get() == 5'000);
}

TEST_CASE("A client that keeps up misses nothing of events larger than the window") {
  RelayProcess process({2, {100'000, 1'000}});
  process.start_shards();
  connect_to_all(process, 18);
  process.start_publishing(120, {10, 150'000, 30'000, 10, 300'000, 99'000});
  process.stop();
  for (std::size_t index = 0; index < process.shards(); ++index) {
    for (const auto& client : process.shard(index).clients()) {
      CHECK(process.fault_of(*client) == "");
      CHECK(process.view_of(*client).skipped() == 0);
    }
  }
}

// Limits about every third turn, by a sequence that differs from client to client.
class UnevenLinks {
 public:
  void operator()(ThreadedClient& client) {
    switch (choices_->below(6)) {
      case 0:
        return client.transport.take_in_all(choices_->below(3'000));
      case 1:
        return client.transport.take_in_all(choices_->below(200'000));
      case 2:
        return client.transport.refuse_next_write();
      default:
        return client.transport.flow();
    }
  }

 private:
  std::shared_ptr<testing::SeededChoices> choices_ = std::make_shared<testing::SeededChoices>(11);
};

TEST_CASE("Slow clients get whole messages and are told what they skipped") {
  // One shard: the links' choices belong to its thread.
  RelayProcess process({1, {60'000, 200}}, UnevenLinks());
  process.start_shards();
  connect_to_all(process, 20);
  process.start_publishing(1'000, {1, 200, 3'000, 70'000});
  process.stop();
  std::uint64_t skipped = 0;
  for (const auto& client : process.shard(0).clients()) {
    CHECK(process.fault_of(*client) == "");
    const testing::ClientModel view = process.view_of(*client);
    CHECK(view.joined_at() + view.events() + view.skipped() == process.history().position());
    skipped += view.skipped();
  }
  CHECK(skipped > 0);
  CHECK(process.shard(0).stats().skipped_events.get() == skipped);
}

}  // namespace
}  // namespace syncrelay
