// Random walks: whatever happens in whatever order, every client's view is a contiguous run of the
// one log, or says how much it skipped. A failing walk is known by its seed.

#include "support/shard_walk.h"

#include <doctest/doctest.h>

namespace syncrelay {
namespace {

using testing::SeededChoices;
using testing::ShardWalk;

struct Totals {
  std::uint64_t events = 0;
  std::uint64_t skipped = 0;
  std::uint64_t resumes = 0;
  std::uint64_t snapshots = 0;
  std::uint64_t drops = 0;
};

Totals walk(const ShardWalk::Settings& settings, std::uint32_t seeds, int steps) {
  Totals totals;
  for (std::uint32_t seed = 1; seed <= seeds; ++seed) {
    CAPTURE(seed);
    SeededChoices choices(seed);
    ShardWalk walk(settings, choices);
    for (int step = 0; step < steps; ++step) walk.step();
    REQUIRE(walk.finish() == "");
    totals.events += walk.events();
    totals.skipped += walk.skipped();
    totals.resumes += walk.resumes();
    totals.snapshots += walk.snapshots();
    totals.drops += walk.drops();
  }
  // A walk that never came to these would prove little.
  CHECK(totals.events > 0);
  CHECK(totals.skipped > 0);
  CHECK(totals.resumes > 0);
  CHECK(totals.snapshots > 0);
  return totals;
}

TEST_CASE("A window of a few small events") {
  walk({{2'000, 20}, 3'000, 6}, 40, 600);
}

TEST_CASE("A window that one event overflows") {
  walk({{40'000, 50}, 70'000, 8}, 12, 400);
}

TEST_CASE("Messages of many fragments") {
  walk({{200'000, 100}, 300 * 1024, 6}, 5, 300);
}

TEST_CASE("More clients than are visited between two looks into the mailbox") {
  walk({{100'000, 100}, 3'000, 60}, 10, 1500);
}

TEST_CASE("A wide window that nobody falls out of without stalling") {
  walk({{1'000'000, 500}, 70'000, 12}, 4, 800);
}

TEST_CASE("Several channels in a window of a few small events") {
  const Totals totals = walk({{2'000, 20}, 3'000, 6, 5}, 60, 800);
  CHECK(totals.drops > 0);
}

TEST_CASE("Several channels whose events are longer than the window") {
  walk({{40'000, 50}, 70'000, 8, 3}, 20, 600);
}

TEST_CASE("Several channels with messages of many fragments") {
  walk({{200'000, 100}, 300 * 1024, 6, 4}, 8, 400);
}

TEST_CASE("Several channels and more clients than are visited between two looks") {
  const Totals totals = walk({{100'000, 100}, 3'000, 60, 8}, 15, 1500);
  CHECK(totals.drops > 0);
}

}  // namespace
}  // namespace syncrelay
