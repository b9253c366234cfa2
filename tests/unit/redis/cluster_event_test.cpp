#include "syncrelay/redis/cluster_event.h"

#include <doctest/doctest.h>

#include <chrono>

namespace syncrelay {
namespace {

TEST_CASE("The id of an entry is read as Redis writes it, and ordered by time") {
  CHECK(EntryId::parse("1763838000123-4") == EntryId{1'763'838'000'123, 4});
  CHECK(EntryId{1'763'838'000'123, 4}.text() == "1763838000123-4");
  for (const char* text :
       {"", "-", "1", "1-", "-1", "1-2-3", "1-x", " 1-2", "99999999999999999999-1"})
    CHECK_FALSE(EntryId::parse(text));
  CHECK(EntryId{1, 9} < EntryId{2, 0});
  CHECK(EntryId{2, 0} < EntryId{2, 1});
}

TEST_CASE(
    "An entry's time has the microseconds of its number within the millisecond, and never goes "
    "back") {
  CHECK(EntryId{5, 0}.ts().microseconds == 5000);
  CHECK(EntryId{5, 999}.ts().microseconds == 5999);
  CHECK(EntryId{5, 70'000}.ts().microseconds == 5999);
  CHECK(EntryId{6, 0}.ts().microseconds == 6000);
  CHECK(EntryId{5, 3}.at() == std::chrono::milliseconds(5));
}

TEST_CASE("A relay's id is sixteen hex digits, and another one each time") {
  const NodeId relay = NodeId::random();
  CHECK(relay.text().size() == 16);
  CHECK(NodeId::parse(relay.text()) == relay);
  CHECK(NodeId{0x0123456789abcdef}.text() == "0123456789abcdef");
  CHECK(NodeId::random() != relay);
  for (const char* text :
       {"", "0123456789abcde", "0123456789abcdefa", "0123456789abcdeg", "0x23456789abcdef"})
    CHECK_FALSE(NodeId::parse(text));
}

TEST_CASE("An event weighs what it holds") {
  CHECK(weight(LettersCame{{}, {}, 0, std::string(1000, 'x')}) >= 1000);
  CHECK(weight(StateLoaded{{}, "", std::string(1000, 'x'), 0}) >= 1000);
  CHECK(weight(CaughtUp{}) > 0);
}

}  // namespace
}  // namespace syncrelay
