#include "syncrelay/base/ring.h"

#include <doctest/doctest.h>

#include <deque>
#include <memory>

#include "support/choices.h"

namespace syncrelay {
namespace {

TEST_CASE("A ring is a queue with random access") {
  Ring<int> ring;
  CHECK(ring.empty());
  for (int value = 0; value < 5; ++value) ring.push_back(value);
  ring.pop_front();
  CHECK(ring.size() == 4);
  CHECK(ring.front() == 1);
  CHECK(ring.back() == 4);
  CHECK(ring[1] == 2);
}

TEST_CASE("A ring holds what a deque holds, whatever is pushed and popped") {
  testing::SeededChoices choices(7);
  Ring<std::uint32_t> ring;
  std::deque<std::uint32_t> model;
  for (int step = 0; step < 20'000; ++step) {
    const bool growing = step / 1000 % 2 == 0;
    if (model.empty() || !choices.one_in(growing ? 3 : 2)) {
      const std::uint32_t value = choices.below(1'000'000);
      ring.push_back(value);
      model.push_back(value);
    } else {
      ring.pop_front();
      model.pop_front();
    }
    REQUIRE(ring.size() == model.size());
    if (model.empty()) continue;
    const std::uint32_t index = choices.below(static_cast<std::uint32_t>(model.size()));
    REQUIRE(ring[index] == model[index]);
    REQUIRE(ring.front() == model.front());
    REQUIRE(ring.back() == model.back());
  }
}

TEST_CASE("A popped value is let go of at once") {
  Ring<std::shared_ptr<int>> ring;
  const auto value = std::make_shared<int>(1);
  ring.push_back(value);
  ring.push_back(nullptr);
  CHECK(value.use_count() == 2);
  ring.pop_front();
  CHECK(value.use_count() == 1);
}

}  // namespace
}  // namespace syncrelay
