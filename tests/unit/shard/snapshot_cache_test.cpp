#include "syncrelay/shard/snapshot_cache.h"

#include <doctest/doctest.h>

#include <vector>

#include "support/frame_parser.h"

namespace syncrelay {
namespace {

constexpr std::size_t kBound = 100'000;

// A replica whose one value can be changed, and the cache under test.
struct CacheBench {
  void set(std::size_t bytes) {
    Update update;
    update.changes = std::make_shared<const StateChanges>(StateChanges{
        {"k", std::make_shared<const std::string>('"' + std::string(bytes, 'v') + '"')}});
    replica.apply(update);
  }
  std::shared_ptr<const Snapshot> get() { return cache.get(replica); }

  Replica replica{{}, {1 << 20, 100}};
  SnapshotCache cache{kBound};
};

TEST_CASE_FIXTURE(CacheBench, "A snapshot is encoded once per state, however many want it") {
  set(10);
  const auto first = get();
  CHECK(get() == first);
  CHECK(first->bytes == R"({"type":"sync:full","data":{"k":"vvvvvvvvvv"})");
  set(11);
  CHECK(get() != first);
  CHECK(get() == get());
}

TEST_CASE_FIXTURE(CacheBench, "An empty state is an empty object") {
  CHECK(get()->bytes == R"({"type":"sync:full","data":{})");
}

TEST_CASE_FIXTURE(CacheBench,
                  "A small snapshot is plain text, a large one frames that await an end") {
  set(4000);
  CHECK_FALSE(get()->framed);
  set(70'000);
  const auto large = get();
  REQUIRE(large->framed);
  testing::FrameParser parser;
  parser.feed(large->bytes);
  CHECK(parser.error() == "");
  CHECK(parser.between_frames());
  CHECK_FALSE(parser.between_messages());
}

TEST_CASE_FIXTURE(CacheBench, "What slow clients hold of older snapshots is bounded") {
  std::vector<std::shared_ptr<const Snapshot>> held;
  while (held.size() < 100) {
    set(30'000 + held.size());
    auto snapshot = get();
    if (!snapshot) break;
    held.push_back(std::move(snapshot));
  }
  CHECK(held.size() == 4);  // three older ones fit below the bound, the fourth goes over it
  CHECK(get() == nullptr);
  held.erase(held.begin());
  CHECK(get() != nullptr);
}

TEST_CASE_FIXTURE(CacheBench, "Snapshots that nobody holds do not count") {
  for (std::size_t round = 0; round < 100; ++round) {
    set(30'000 + round);
    REQUIRE(get() != nullptr);
  }
}

}  // namespace
}  // namespace syncrelay
