#include "syncrelay/base/few.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "support/choices.h"

namespace syncrelay {
namespace {

bool same(const Few<std::string>& few, const std::vector<std::string>& model) {
  return std::equal(few.begin(), few.end(), model.begin(), model.end());
}

bool lies_inside(const Few<std::string>& few) {
  const auto* const place = reinterpret_cast<const std::byte*>(few.begin());
  const auto* const itself = reinterpret_cast<const std::byte*>(&few);
  return place >= itself && place < itself + sizeof few;
}

TEST_CASE("One value needs no memory of its own, nor what is left when others are gone") {
  Few<std::string> few;
  few.push_back("a");
  CHECK(lies_inside(few));
  few.push_back("b");
  CHECK_FALSE(lies_inside(few));
  few.erase(0);
  CHECK(lies_inside(few));
  CHECK(few.front() == "b");
}

TEST_CASE("It holds what a vector holds, whatever is inserted and erased, and so do its copies") {
  testing::SeededChoices choices(11);
  Few<std::string> few;
  std::vector<std::string> model;
  for (int step = 0; step < 20'000; ++step) {
    const bool growing = step / 500 % 2 == 0;
    const auto size = static_cast<std::uint32_t>(model.size());
    if (model.empty() || !choices.one_in(growing ? 3 : 2)) {
      const std::uint32_t at = choices.below(size + 1);
      const std::string value = "a value that needs memory of its own, " + std::to_string(step);
      few.insert(at, value);
      model.insert(model.begin() + at, value);
    } else {
      const std::uint32_t at = choices.below(size);
      const std::uint32_t count = 1 + choices.below(std::min(size - at, 3U));
      few.erase(at, count);
      model.erase(model.begin() + at, model.begin() + at + count);
    }
    REQUIRE(same(few, model));
    Few<std::string> copy(few);
    REQUIRE(same(copy, model));
    Few<std::string> moved;
    moved.push_back("of before");
    moved = std::move(copy);
    REQUIRE(same(moved, model));
  }
}

TEST_CASE("Values that cannot be copied are moved") {
  Few<std::unique_ptr<int>> few;
  for (int value = 0; value < 5; ++value) few.insert(0, std::make_unique<int>(value));
  const Few<std::unique_ptr<int>> moved = std::move(few);
  CHECK(moved.size() == 5);
  CHECK(*moved.front() == 4);
  CHECK(*moved.back() == 0);
}

}  // namespace
}  // namespace syncrelay
