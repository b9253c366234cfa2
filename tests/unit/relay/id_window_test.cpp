#include "syncrelay/relay/id_window.h"

#include <doctest/doctest.h>

#include <chrono>
#include <optional>
#include <string>

namespace syncrelay {
namespace {

using std::chrono::seconds;

const Duration kStart = std::chrono::hours(1);

// A batch of one that is stored.
void add(IdWindow& window, std::string_view id, Seq seq, Duration accepted) {
  window.stage(id, seq, accepted);
  window.keep_staged();
}

std::optional<Seq> seq_of(const IdWindow& window, std::string_view id, Duration now) {
  const auto known = window.find(id, now);
  return known ? std::optional(known->seq) : std::nullopt;
}

TEST_CASE("An id is answered with the position of the first time") {
  IdWindow window({10, seconds(60)});
  CHECK_FALSE(window.find("a", kStart).has_value());
  add(window, "a", Seq{7}, kStart);
  CHECK(seq_of(window, "a", kStart) == std::optional(Seq{7}));
  CHECK_FALSE(window.find("b", kStart).has_value());
}

TEST_CASE("At the bound on their number the oldest id is forgotten") {
  IdWindow window({3, seconds(60)});
  for (const char* id : {"a", "b", "c", "d"}) add(window, id, Seq{1}, kStart);
  CHECK(window.size() == 3);
  CHECK_FALSE(window.find("a", kStart).has_value());
  CHECK(window.find("b", kStart).has_value());
  CHECK(window.find("d", kStart).has_value());
}

TEST_CASE("An id that is too old is not known, even before it is evicted") {
  IdWindow window({10, seconds(60)});
  add(window, "a", Seq{1}, kStart);
  CHECK(window.find("a", kStart + seconds(60)).has_value());
  CHECK_FALSE(window.find("a", kStart + seconds(61)).has_value());
}

TEST_CASE("An id that is too old may be used again and counts as new") {
  IdWindow window({10, seconds(60)});
  add(window, "a", Seq{1}, kStart);
  add(window, "a", Seq{9}, kStart + seconds(61));
  CHECK(seq_of(window, "a", kStart + seconds(61)) == std::optional(Seq{9}));
  CHECK(window.size() == 1);
}

TEST_CASE("What is staged is known, and says so until it is kept") {
  IdWindow window({10, seconds(60)});
  window.stage("a", Seq{1}, kStart);
  CHECK(window.find("a", kStart)->staged);
  window.keep_staged();
  CHECK_FALSE(window.find("a", kStart)->staged);
}

TEST_CASE("What is staged can be taken back, and only that") {
  IdWindow window({10, seconds(60)});
  add(window, "a", Seq{1}, kStart);
  for (const char* id : {"b", "c"}) window.stage(id, Seq{1}, kStart);
  window.take_back_staged();
  CHECK(window.find("a", kStart).has_value());
  CHECK_FALSE(window.find("b", kStart).has_value());
  CHECK_FALSE(window.find("c", kStart).has_value());
  add(window, "b", Seq{5}, kStart);
  CHECK(seq_of(window, "b", kStart) == std::optional(Seq{5}));
}

TEST_CASE("A full window forgets nothing for ids that are taken back") {
  IdWindow window({2, seconds(60)});
  for (const char* id : {"a", "b"}) add(window, id, Seq{1}, kStart);
  for (const char* id : {"c", "d", "e"}) window.stage(id, Seq{2}, kStart);
  window.take_back_staged();
  CHECK(window.size() == 2);
  CHECK(seq_of(window, "a", kStart) == std::optional(Seq{1}));
  CHECK(seq_of(window, "b", kStart) == std::optional(Seq{1}));
  CHECK_FALSE(window.find("e", kStart).has_value());
}

TEST_CASE("A batch of more ids than the window holds knows all of its own until it is kept") {
  IdWindow window({2, seconds(60)});
  for (const char* id : {"a", "b", "c"}) window.stage(id, Seq{1}, kStart);
  CHECK(window.find("a", kStart).has_value());
  window.keep_staged();
  CHECK(window.size() == 2);
  CHECK_FALSE(window.find("a", kStart).has_value());
}

TEST_CASE("The window slides for long without growing") {
  IdWindow window({100, seconds(60)});
  for (int number = 0; number < 10'000; ++number)
    add(window, std::to_string(number), Seq{1}, kStart);
  CHECK(window.size() == 100);
  CHECK_FALSE(window.find("9899", kStart).has_value());
  CHECK(window.find("9900", kStart).has_value());
}

}  // namespace
}  // namespace syncrelay
