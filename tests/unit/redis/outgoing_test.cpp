#include "syncrelay/redis/outgoing.h"

#include <doctest/doctest.h>

#include "support/choices.h"

namespace syncrelay {
namespace {

constexpr Outgoing::Bounds kWide = {1 << 30, 1 << 30};

TEST_CASE("What is added while nobody sends is one batch, and what comes later the next") {
  Outgoing outgoing(kWide);
  CHECK_FALSE(outgoing.next());
  CHECK(outgoing.is_empty());
  CHECK(outgoing.add("a"));
  CHECK_FALSE(outgoing.is_empty());
  CHECK(outgoing.add("b"));
  const auto first = outgoing.next();
  REQUIRE(first);
  CHECK(first->number == 1);
  CHECK(*first->data == "ab");
  CHECK(outgoing.add("c"));
  CHECK(*first->data == "ab");
  const auto second = outgoing.next();
  REQUIRE(second);
  CHECK(second->number == 2);
  CHECK(*second->data == "c");
  CHECK_FALSE(outgoing.next());
}

TEST_CASE("Several that are added at once are counted each") {
  Outgoing outgoing({1 << 20, 3});
  CHECK(outgoing.add("abc", 3));
  CHECK_FALSE(outgoing.has_room());
  outgoing.next();
  CHECK(outgoing.came_back(1) == 3);
  CHECK(outgoing.has_room());
}

TEST_CASE("A batch has a bound, which only a single append may be over") {
  Outgoing outgoing(kWide);
  const std::string most(Outgoing::kBatchBytes, 'x'), more = most + 'x';
  outgoing.add(most);
  outgoing.add("y");
  outgoing.add(more);
  outgoing.add("z");
  CHECK(outgoing.next()->data->size() == most.size());
  CHECK(*outgoing.next()->data == "y");
  CHECK(outgoing.next()->data->size() == more.size());
  CHECK(*outgoing.next()->data == "z");
}

TEST_CASE("What was sent and has not come back is sent again with the same number and bytes") {
  Outgoing outgoing(kWide);
  outgoing.add("a");
  outgoing.next();
  outgoing.add("b");
  outgoing.next();
  CHECK(outgoing.came_back(1) == 1);
  outgoing.add("c");
  outgoing.rewind();
  outgoing.add("d");
  const auto again = outgoing.next();
  CHECK(again->number == 2);
  CHECK(*again->data == "b");
  const auto rest = outgoing.next();
  CHECK(rest->number == 3);
  CHECK(*rest->data == "cd");
}

TEST_CASE("There is no room beyond either bound until something has come back") {
  Outgoing by_count({1000, 2});
  CHECK(by_count.add("a"));
  CHECK(by_count.add("b"));
  CHECK_FALSE(by_count.has_room());
  CHECK_FALSE(by_count.add("c"));
  by_count.next();
  CHECK_FALSE(by_count.has_room());
  CHECK(by_count.came_back(1) == 2);
  CHECK(by_count.add("c"));

  Outgoing by_bytes({10, 1000});
  CHECK(by_bytes.add(std::string(50, 'x')));  // one may go beyond
  CHECK_FALSE(by_bytes.add("a"));
  by_bytes.next();
  by_bytes.came_back(1);
  CHECK(by_bytes.add("a"));
}

TEST_CASE("Under a new id the numbers begin anew, and all that is left is sent") {
  Outgoing outgoing(kWide);
  for (const char* text : {"a", "b", "c"}) {
    outgoing.add(text);
    outgoing.next();
  }
  CHECK(outgoing.came_back(1) == 1);
  CHECK(outgoing.last_back() == 1);
  outgoing.renumber();
  CHECK(outgoing.last_back() == 0);
  CHECK(outgoing.next()->number == 1);
  CHECK(*outgoing.next()->data == "c");
  outgoing.add("d");
  CHECK(outgoing.next()->number == 3);
}

TEST_CASE("What comes back from a history that this relay forgot leaves the numbers growing") {
  Outgoing outgoing(kWide);
  CHECK(outgoing.came_back(5) == 0);
  outgoing.add("a");
  CHECK(outgoing.next()->number == 6);
  CHECK(outgoing.last_back() == 5);
}

// A log that takes a batch once and only behind the one before it, as the script does, and
// forgets answers.
TEST_CASE("Whatever is answered, lost or sent twice, all comes once and in order") {
  for (std::uint32_t seed = 1; seed <= 200; ++seed) {
    CAPTURE(seed);
    testing::SeededChoices choices(seed);
    Outgoing outgoing({400, 60});
    std::string log, expected;
    std::uint64_t last = 0, read = 0, told = 0, added = 0;
    for (int step = 0; step < 400; ++step) {
      const auto choice = choices.below(10);
      if (choice < 4) {
        const std::string text = std::to_string(added) + ';';
        if (outgoing.add(text)) expected += text, ++added;
      } else if (choice < 8) {
        const auto batch = outgoing.next();
        if (batch && batch->number == last + 1) log += *batch->data, last = batch->number;
      } else if (choice == 8 && read < last) {
        told += outgoing.came_back(++read);
      } else {
        outgoing.rewind();
      }
    }
    outgoing.rewind();
    while (const auto batch = outgoing.next()) {
      if (batch->number == last + 1) log += *batch->data, last = batch->number;
    }
    told += outgoing.came_back(last);
    CHECK(log == expected);
    CHECK(told == added);
    CHECK(outgoing.has_room());
  }
}

}  // namespace
}  // namespace syncrelay
