#include "syncrelay/shard/chronicle.h"

#include <doctest/doctest.h>

#include <string>

namespace syncrelay {
namespace {

Story story_of(std::string_view identity, std::size_t lines = 1) {
  Story story;
  for (std::size_t line = 0; line < lines; ++line)
    story.add({StoryKind::connected, {}, 0, 1, "127.0.0.1"});
  if (!identity.empty()) story.add({StoryKind::identified, {}, 0, 0, identity});
  return story;
}

struct ChronicleBench {
  Told ask(std::uint64_t connection, std::string id = {}) {
    Told told;
    chronicle.find({1, std::move(id), connection}, told);
    return told;
  }

  ShardStats stats;
  Chronicle chronicle{stats};
};

TEST_CASE_FIXTURE(ChronicleBench, "Of connections that are gone the newest stay") {
  constexpr std::uint64_t kGone = Chronicle::kMaxStories + 5;
  for (std::uint64_t id = 1; id <= kGone; ++id) chronicle.add({id}, "", story_of(""));
  CHECK(ask(5).stories.empty());
  REQUIRE(ask(6).stories.size() == 1);
  CHECK(ask(6).stories.front().id == ConnectionId{6});
  CHECK_FALSE(ask(6).stories.front().now);
  CHECK(ask(kGone).stories.size() == 1);
  CHECK(stats.stories.get() == Chronicle::kMaxStories);
  CHECK(stats.stories_forgotten.get() == 5);
}

TEST_CASE_FIXTURE(ChronicleBench, "Long stories are bounded by their bytes, too") {
  for (std::uint64_t id = 1; id <= Chronicle::kMaxStories; ++id)
    chronicle.add({id}, "", story_of("", 200));
  CHECK(stats.story_bytes.get() <= Chronicle::kMaxBytes);
  CHECK(stats.stories.get() < Chronicle::kMaxStories);
  CHECK(stats.stories.get() + stats.stories_forgotten.get() == Chronicle::kMaxStories);
  CHECK(ask(Chronicle::kMaxStories).stories.size() == 1);
}

TEST_CASE_FIXTURE(ChronicleBench, "An identity has all its connections, the newest first") {
  for (std::uint64_t id = 1; id <= 50; ++id)
    chronicle.add({id}, id % 2 == 0 ? "even" : "odd", story_of(id % 2 == 0 ? "even" : "odd"));
  chronicle.add({51}, "", story_of(""));
  const Told told = ask(0, "even");
  REQUIRE(told.stories.size() == StoryInquiry::kMaxTold);
  CHECK(told.stories.front().id == ConnectionId{50});
  CHECK(told.stories.back().id == ConnectionId{12});
  CHECK(told.more == 5);
  CHECK(ask(0, "nobody").stories.empty());
}

}  // namespace
}  // namespace syncrelay
