#include "syncrelay/channel/tombstones.h"

#include <doctest/doctest.h>

#include "support/choices.h"

namespace syncrelay {
namespace {

TEST_CASE("They hold what a map would, whatever is put and put back, and where hashes crowd") {
  testing::SeededChoices choices(5);
  Tombstones tombstones;
  Tombstones::ByHash model;
  for (int step = 0; step < 50'000; ++step) {
    const std::uint64_t hash = choices.below(300) * (choices.one_in(2) ? 1 : 1ULL << 40);
    if (choices.one_in(2)) {
      const Seq last{1 + choices.below(1'000)};
      tombstones.put_back(hash, last);
      model[hash] = last;
    } else {
      tombstones.put_back(hash, std::nullopt);
      model.erase(hash);
    }
    REQUIRE(tombstones.size() == model.size());
    if (step % 100 == 0) REQUIRE(tombstones.by_hash() == model);
  }
}

TEST_CASE("Of a name the greater position counts, and a channel without a number leaves none") {
  Tombstones tombstones;
  tombstones.put("room", Seq{0});
  CHECK(tombstones.size() == 0);
  tombstones.put("room", Seq{7});
  tombstones.put("room", Seq{3});
  CHECK(tombstones.last_of("room") == Seq{7});
  CHECK(tombstones.last_of("another") == Seq{0});
}

TEST_CASE("When they are full all are forgotten, and a new generation begins") {
  Tombstones tombstones;
  for (std::size_t number = 0; number < Tombstones::kMax; ++number)
    tombstones.put(std::to_string(number), Seq{1});
  CHECK(tombstones.generation() == 0);
  CHECK_FALSE(tombstones.overflows_by("0"));
  tombstones.put("one more", Seq{2});
  CHECK(tombstones.size() == 1);
  CHECK(tombstones.generation() == 1);
  CHECK(tombstones.last_of("0") == Seq{0});
}

}  // namespace
}  // namespace syncrelay
