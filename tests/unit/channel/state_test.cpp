#include "syncrelay/channel/state.h"

#include <doctest/doctest.h>

#include <map>
#include <vector>

#include "support/choices.h"
#include "syncrelay/json/json_text.h"

namespace syncrelay {
namespace {

using Model = std::map<std::string, StateValue>;

StateValue value_of(std::string text) {
  return std::make_shared<const std::string>(std::move(text));
}

std::string key_of(std::size_t number) {
  return "key:" + std::to_string(number);
}

Model content(const State& map) {
  Model all;
  std::string last;
  for (std::size_t index = 0; index < map.block_count(); ++index) {
    CHECK_FALSE(map.block(index).empty());
    CHECK(map.block(index).size() <= State::kMaxBlockEntries);
    for (const State::Entry& entry : map.block(index)) {
      CHECK((all.empty() || last < entry.key));
      last = entry.key;
      all.emplace(entry.key, entry.value);
    }
  }
  CHECK(all.size() == map.size());
  return all;
}

std::size_t members_size(const Model& model) {
  std::string text;
  for (const auto& [key, value] : model) {
    if (!text.empty()) text += ',';
    append_json_string(text, key);
    text += ':' + *value;
  }
  return text.size();
}

TEST_CASE("Whatever is set and erased, the map holds what a plain one would, and copies stay") {
  testing::SeededChoices choices(3);
  State map;
  Model model;
  std::vector<std::pair<State, Model>> copies;
  for (int step = 0; step < 20'000; ++step) {
    const bool grows = step % 8'000 < 5'000;
    const std::string key = key_of(choices.below(1'000)) + (choices.one_in(50) ? "\"\n" : "");
    if (choices.one_in(grows ? 4 : 2)) {
      map.erase(key);
      model.erase(key);
    } else {
      const StateValue value = value_of(std::to_string(step));
      map.set(key, value);
      model[key] = value;
    }
    if (step % 1'000 == 0) copies.emplace_back(map, model);
    const StateValue* found = map.find(key);
    REQUIRE((found != nullptr) == (model.count(key) > 0));
    REQUIRE(map.members_size() == members_size(model));
  }
  CHECK(content(map) == model);
  for (const auto& [copy, then] : copies) CHECK(content(copy) == then);
}

TEST_CASE("However keys go, there are not many more blocks than they need") {
  constexpr std::size_t kKeys = 10'000;
  for (const bool forward : {true, false}) {
    State map;
    for (std::size_t number = 0; number < kKeys; ++number) map.set(key_of(number), value_of("1"));
    for (std::size_t number = 0; number < kKeys; ++number) {
      const std::size_t which = forward ? number : kKeys - 1 - number;
      if (which % 100 != 0) map.erase(key_of(which));
    }
    CHECK(map.size() == kKeys / 100);
    CHECK(map.block_count() <= 8);
  }
}

TEST_CASE("A copy shares all that has not changed since") {
  constexpr std::size_t kValue = 10'000;
  State map;
  for (std::size_t number = 0; number < 1'000; ++number)
    map.set(key_of(number), value_of(std::string(kValue, 'v')));
  const State copy = map;
  const std::size_t nothing = copy.bytes_beyond(map);
  CHECK(nothing < 2'000);
  map.set(key_of(500), value_of("1"));
  map.erase(key_of(501));
  map.set("another", value_of(std::string(kValue, 'a')));
  const std::size_t beyond = copy.bytes_beyond(map);
  CHECK(beyond >= 2 * kValue);
  CHECK(beyond < 2 * kValue + 20'000);  // the entries of the blocks that hold them
  CHECK(map.bytes_beyond(copy) >= kValue);
}

TEST_CASE("What a copy holds alone is all of it when everything was replaced") {
  State map;
  for (std::size_t number = 0; number < 300; ++number) map.set(key_of(number), value_of("12345"));
  const State copy = map;
  for (std::size_t number = 0; number < 300; ++number) map.set(key_of(number), value_of("54321"));
  CHECK(copy.bytes_beyond(map) >= 300 * (5 + sizeof(State::Entry)));
  CHECK(copy.bytes_beyond(State()) == copy.bytes_beyond(map));
}

}  // namespace
}  // namespace syncrelay
