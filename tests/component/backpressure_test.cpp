// A shard that does not run makes the relay wait; nothing in between drops.

#include <doctest/doctest.h>

#include <future>

#include "deadline.h"
#include "relay_process.h"

namespace syncrelay {
namespace {

using testing::comes_true;
using testing::RelayProcess;

constexpr std::uint64_t kEvents = 30'000;
// What a mailbox holds at most, and what the relay has in hand: see shard.cpp and relay.cpp.
constexpr std::uint64_t kMailboxUpdates = 4'096;
constexpr std::uint64_t kBatchUpdates = 256;

TEST_CASE("A shard that does not run stops the relay, and gets everything when it runs again") {
  RelayProcess process({2, {64 << 20, 100'000}});
  process.start_shards();
  for (std::size_t index = 0; index < 2; ++index) {
    process.shard(index).run_task([&] { process.shard(index).connect(); });
  }
  std::promise<void> held;
  std::promise<void> release;
  process.shard(1).post_task([&] {
    held.set_value();
    release.get_future().wait();
  });
  held.get_future().wait();
  process.start_publishing(kEvents, {10});
  REQUIRE(comes_true([&] { return process.published() + kBatchUpdates >= kMailboxUpdates; }));
  CHECK_FALSE(comes_true([&] { return process.published() > kMailboxUpdates; },
                         std::chrono::milliseconds(200)));
  release.set_value();
  process.stop();
  for (std::size_t index = 0; index < 2; ++index) {
    const auto& client = *process.shard(index).clients().front();
    CHECK(process.fault_of(client) == "");
    CHECK(process.view_of(client).events() == kEvents);
  }
}

TEST_CASE("Large events fill a mailbox by their weight") {
  constexpr std::uint64_t kLarge = 200;
  constexpr std::size_t kBytes = 100'000;
  RelayProcess process({1, {4 << 20, 100'000}});  // a quarter of the window may wait: 1 MiB
  process.start_publishing(kLarge, {kBytes});
  REQUIRE(comes_true([&] { return process.published() > 0; }));
  CHECK_FALSE(comes_true([&] { return process.published() * kBytes > 2 << 20; },
                         std::chrono::milliseconds(200)));
  process.start_shards();
  process.shard(0).run_task([&] { process.shard(0).connect(); });
  process.stop();
  CHECK(process.fault_of(*process.shard(0).clients().front()) == "");
  CHECK(process.published() == kLarge);
}

TEST_CASE("A relay that waits for a shard is released when that shard ends") {
  RelayProcess process({2, {64 << 20, 100'000}});
  process.shard(1).start();
  process.shard(1).run_task([&] { process.shard(1).connect(); });
  process.start_publishing(kEvents, {10});
  REQUIRE(comes_true([&] { return process.published() + kBatchUpdates >= kMailboxUpdates; }));
  process.shard(0).abandon();
  process.wait_for_publisher();
  process.shard(1).stop();
  const auto& client = *process.shard(1).clients().front();
  CHECK(process.fault_of(client) == "");
  CHECK(process.view_of(client).events() == kEvents);
}

}  // namespace
}  // namespace syncrelay
