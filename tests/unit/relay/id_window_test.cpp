#include "syncrelay/relay/id_window.h"

#include <doctest/doctest.h>

#include <chrono>
#include <optional>
#include <string>

namespace syncrelay {
namespace {

using std::chrono::seconds;

const TimePoint kStart{std::chrono::hours(1)};

TEST_CASE("An id is answered with the position of the first time") {
  IdWindow window({10, seconds(60)});
  CHECK_FALSE(window.find("a", kStart).has_value());
  window.add("a", Seq{7}, kStart);
  CHECK(window.find("a", kStart) == std::optional(Seq{7}));
  CHECK_FALSE(window.find("b", kStart).has_value());
}

TEST_CASE("At the bound on their number the oldest id is forgotten") {
  IdWindow window({3, seconds(60)});
  for (const char* id : {"a", "b", "c", "d"}) window.add(id, Seq{1}, kStart);
  CHECK(window.size() == 3);
  CHECK_FALSE(window.find("a", kStart).has_value());
  CHECK(window.find("b", kStart).has_value());
  CHECK(window.find("d", kStart).has_value());
}

TEST_CASE("An id that is too old is not known, even before it is evicted") {
  IdWindow window({10, seconds(60)});
  window.add("a", Seq{1}, kStart);
  CHECK(window.find("a", kStart + seconds(60)).has_value());
  CHECK_FALSE(window.find("a", kStart + seconds(61)).has_value());
}

TEST_CASE("An id that is too old may be used again and counts as new") {
  IdWindow window({10, seconds(60)});
  window.add("a", Seq{1}, kStart);
  window.add("a", Seq{9}, kStart + seconds(61));
  CHECK(window.find("a", kStart + seconds(61)) == std::optional(Seq{9}));
  CHECK(window.size() == 1);
}

TEST_CASE("The newest ids can be taken back, and only they") {
  IdWindow window({10, seconds(60)});
  for (const char* id : {"a", "b", "c"}) window.add(id, Seq{1}, kStart);
  window.forget_newest(2);
  CHECK(window.find("a", kStart).has_value());
  CHECK_FALSE(window.find("b", kStart).has_value());
  CHECK_FALSE(window.find("c", kStart).has_value());
  window.add("b", Seq{5}, kStart);
  CHECK(window.find("b", kStart) == std::optional(Seq{5}));
}

TEST_CASE("Taking back more ids than the window holds leaves it empty") {
  IdWindow window({2, seconds(60)});
  for (const char* id : {"a", "b", "c"}) window.add(id, Seq{1}, kStart);
  window.forget_newest(3);
  CHECK(window.size() == 0);
  CHECK_FALSE(window.find("c", kStart).has_value());
}

TEST_CASE("The window slides for long without growing") {
  IdWindow window({100, seconds(60)});
  for (int number = 0; number < 10'000; ++number)
    window.add(std::to_string(number), Seq{1}, kStart);
  CHECK(window.size() == 100);
  CHECK_FALSE(window.find("9899", kStart).has_value());
  CHECK(window.find("9900", kStart).has_value());
}

}  // namespace
}  // namespace syncrelay
