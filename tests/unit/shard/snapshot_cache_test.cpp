#include "syncrelay/shard/snapshot_cache.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <vector>

namespace syncrelay {
namespace {

constexpr std::size_t kBound = 100'000;

// A replica whose values can be changed, the cache under test, and clients that hold snapshots.
struct CacheBench {
  void set(const std::string& key, std::size_t bytes) {
    Update update;
    update.changes = std::make_shared<const StateChanges>(StateChanges{
        {key, std::make_shared<const std::string>('"' + std::string(bytes, 'v') + '"')}});
    replica.apply(update);
  }
  std::shared_ptr<Snapshot> get() { return cache.get(replica.default_channel()); }

  void let_go(const Snapshot& snapshot) {
    const auto is_it = [&](const auto& held) { return held.get() == &snapshot; };
    let_go_ += static_cast<std::size_t>(std::count_if(held.begin(), held.end(), is_it));
    held.erase(std::remove_if(held.begin(), held.end(), is_it), held.end());
  }

  Replica replica{{}, {1 << 20, 100}};
  std::vector<std::shared_ptr<const Snapshot>> held;
  std::size_t let_go_ = 0;
  SnapshotCache cache{replica, kBound, [this](const Snapshot& snapshot) { let_go(snapshot); }};
};

TEST_CASE_FIXTURE(CacheBench, "There is one snapshot per state, however many want it") {
  set("k", 10);
  const auto first = get();
  CHECK(get() == first);
  set("k", 11);
  CHECK(get() != first);
  CHECK(get() == get());
}

TEST_CASE_FIXTURE(CacheBench,
                  "Nobody waits for a snapshot: at the bound those that hold the oldest go") {
  for (std::size_t round = 0; round < 20; ++round) {
    set("k", 30'000 + round);
    held.push_back(get());
    held.push_back(get());
    REQUIRE(held.back() != nullptr);
    CHECK(cache.held_bytes() <= kBound);
    if (round > 5) CHECK(held.size() == 2 * 4);  // three older ones fit below the bound
  }
  CHECK(let_go_ == 2 * 16);
  CHECK(held.front()->size() < held.back()->size());
}

TEST_CASE_FIXTURE(CacheBench, "A single superseded snapshot may be too much") {
  set("k", 2 * kBound);
  held.push_back(get());
  set("k", 1);
  CHECK(let_go_ == 0);  // nobody needs the room
  set("k", 5'000);
  CHECK(get() != nullptr);
  CHECK(let_go_ == 1);
}

TEST_CASE_FIXTURE(CacheBench, "A small snapshot asks for room as a large one does") {
  set("k", 2 * kBound);
  held.push_back(get());
  set("k", 1);
  CHECK_FALSE(get()->plain().empty());
  CHECK(let_go_ == 1);
  CHECK(cache.held_bytes() == 0);
}

TEST_CASE_FIXTURE(CacheBench, "What a superseded snapshot shares with the next one costs nothing") {
  for (int number = 0; number < 10; ++number)
    set(std::string("big:") += std::to_string(number), kBound);
  for (std::size_t round = 0; round < 20; ++round) {
    set("small", round);
    held.push_back(get());
  }
  CHECK(let_go_ == 0);
  set("big:3", 1);
  CHECK(get() != nullptr);
  CHECK(let_go_ == 20);  // each held the one value that was too much
}

TEST_CASE_FIXTURE(CacheBench,
                  "When one in the middle is released, its neighbour holds what it held") {
  for (std::size_t round = 0; round < 3; ++round) {
    set(std::string("k") += std::to_string(round), 30'000);
    set("all", 20'000 + round);
    held.push_back(get());
  }
  set("all", 1);
  const auto newest = get();
  CHECK(cache.held_bytes() > 60'000);
  held.erase(held.begin() + 1);
  set("all", 2);
  const auto another = get();
  CHECK(cache.held_bytes() > 40'000);
  CHECK(cache.held_bytes() < 60'000);
}

TEST_CASE_FIXTURE(CacheBench, "Snapshots that nobody holds do not count") {
  for (std::size_t round = 0; round < 100; ++round) {
    set("k", 30'000 + round);
    CHECK(get() != nullptr);
    CHECK(cache.held_bytes() == 0);
  }
}

TEST_CASE_FIXTURE(CacheBench, "The cache itself holds nothing of a state that is gone") {
  set("k", 30'000);
  const std::weak_ptr<const Snapshot> snapshot = get();
  cache.forget_superseded();
  CHECK_FALSE(snapshot.expired());
  set("k", 1);
  cache.forget_superseded();
  CHECK(snapshot.expired());
}

}  // namespace
}  // namespace syncrelay
