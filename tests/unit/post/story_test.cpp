#include "syncrelay/post/story.h"

#include <doctest/doctest.h>

#include <cstdint>
#include <string>

namespace syncrelay {
namespace {

using std::chrono::milliseconds;

StoryRecord record(StoryKind kind, std::int64_t at, std::uint64_t a = 0, std::uint64_t b = 0,
                   std::string_view text = {}) {
  return {kind, milliseconds(at), a, b, text};
}

void check_same(const StoryRecord& read, const StoryRecord& written) {
  CHECK(read.kind == written.kind);
  CHECK(read.at == written.at);
  CHECK(read.a == written.a);
  CHECK(read.b == written.b);
  CHECK(read.text == written.text);
}

TEST_CASE("What is added to a story is read again, whatever the numbers") {
  Story story(WallTime{1'000'000});
  CHECK(story.records().empty());
  CHECK(story.bytes() == 0);
  const StoryRecord first = record(StoryKind::connected, 0, 3, 1, "203.0.113.7 10.0.0.1");
  const StoryRecord second = record(StoryKind::skipped, 86'400'000, UINT64_MAX, 127, "");
  const StoryRecord third = record(StoryKind::ended, 86'400'001, 128, UINT64_MAX, "bänned");
  for (const StoryRecord& each : {first, second, third}) story.add(each);
  const auto records = story.records();
  REQUIRE(records.size() == 3);
  check_same(records[0], first);
  check_same(records[1], second);
  check_same(records[2], third);
  CHECK(story.begin().microseconds == 1'000'000);
  CHECK(story.dropped() == 0);
}

TEST_CASE("The story of a client that only listens costs one small block") {
  Story story;
  story.add(record(StoryKind::connected, 0, 1, 2, "203.0.113.7"));
  story.add(record(StoryKind::followed, 1, 1'000'000));
  CHECK(story.bytes() <= 40);
}

TEST_CASE("A long text is cut at a character") {
  Story story;
  std::string text;
  for (int count = 0; count < 100; ++count) text += "ü€";
  story.add(record(StoryKind::goodbye, 5, 1000, 0, text));
  const StoryRecord read = story.records().front();
  CHECK(read.text.size() <= Story::kMaxText);
  CHECK(read.text.size() > Story::kMaxText - 4);
  CHECK(text.starts_with(read.text));
}

TEST_CASE("What a client has happen again and again is one record that counts") {
  Story story;
  for (int time = 0; time < 1000; ++time)
    story.count(record(StoryKind::message_refused, time, 9, 1));
  REQUIRE(story.records().size() == 1);
  check_same(story.records().front(), record(StoryKind::message_refused, 0, 9, 1000));
  story.count(record(StoryKind::message_refused, 1000, 8, 1));
  story.count(record(StoryKind::subscription_refused, 1001, 8, 1, "a"));
  story.count(record(StoryKind::subscription_refused, 1002, 8, 1, "b"));
  CHECK(story.records().size() == 4);
  CHECK(story.records().back().text == "b");
}

TEST_CASE(
    "A story without end keeps its beginning and its end, and says how much it lost between") {
  Story story;
  constexpr std::uint64_t kRecords = 100'000;
  for (std::uint64_t n = 0; n < kRecords; ++n) {
    story.add(record(StoryKind::unfollowed, static_cast<std::int64_t>(n), n, 0, "room:1"));
    if (n % 1000 == 0) REQUIRE(story.bytes() <= Story::kMaxBytes + 32);
  }
  const auto records = story.records();
  CHECK(story.dropped() + records.size() == kRecords);
  const std::size_t gap = story.gap();
  REQUIRE(gap > 10);
  REQUIRE(gap < records.size() - 10);
  for (std::size_t at = 0; at < gap; ++at) CHECK(records[at].a == at);
  for (std::size_t at = gap; at < records.size(); ++at)
    CHECK(records[at].a == kRecords - (records.size() - at));
}

TEST_CASE("Counting goes on behind a gap, and where the story is full") {
  Story story;
  for (std::uint64_t n = 0; n < 5000; ++n) {
    story.add(record(StoryKind::goodbye, 1, n, 0, std::string(n % 160, 'x')));
    for (int count = 0; count < 200; ++count)
      story.count(record(StoryKind::message_refused, 2, n, 1));
    REQUIRE(story.records().back().b >= 127);
    REQUIRE(story.bytes() <= Story::kMaxBytes + 32);
  }
}

TEST_CASE("A copy of a story is one of its own") {
  Story story;
  for (int n = 0; n < 500; ++n) story.add(record(StoryKind::resumed, n, 7, 8, "room:1"));
  const Story copy = story;
  story = Story();
  CHECK(story.records().empty());
  CHECK(copy.dropped() > 0);
  CHECK(copy.records().back().at == milliseconds(499));
  Story assigned;
  assigned = copy;
  CHECK(assigned.records().size() == copy.records().size());
}

}  // namespace
}  // namespace syncrelay
