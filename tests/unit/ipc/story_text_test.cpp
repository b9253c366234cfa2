#include "syncrelay/ipc/story_text.h"

#include <doctest/doctest.h>

#include <string>

#include "syncrelay/json/json_parts.h"
#include "syncrelay/protocol/close_cause.h"
#include "syncrelay/protocol/refused_message.h"
#include "syncrelay/protocol/refused_subscription.h"

namespace syncrelay {
namespace {

// How many values a kind's first and second number may have.
struct Values {
  std::uint64_t a = 1;
  std::uint64_t b = 1;
};

Values values_of(StoryKind kind) {
  if (kind == StoryKind::connected) return {4, 1};
  if (kind == StoryKind::subscription_refused) return {kRefusedSubscriptions.size(), 3};
  if (kind == StoryKind::message_refused) return {kRefusedMessages.size(), 3};
  if (kind == StoryKind::not_resumed) return {3, 4};
  if (kind == StoryKind::ended) return {kCloseCauses.size(), 3};
  return {3, 3};
}

TEST_CASE("Each kind has a sentence, with whatever numbers and texts there may be") {
  for (std::size_t index = 0; index < kStoryKindNames.size(); ++index) {
    const auto kind = static_cast<StoryKind>(index);
    CHECK_FALSE(name(kind).empty());
    const Values values = values_of(kind);
    for (std::uint64_t a = 0; a < values.a; ++a) {
      for (std::uint64_t b = 0; b < values.b; ++b) {
        for (const char* text : {"", "room:1"}) {
          const bool always =
              kind == StoryKind::connected || kind == StoryKind::goodbye;  // have one
          if (always && std::string_view(text).empty()) continue;
          const std::string said = sentence({kind, {}, a, b, text});
          CAPTURE(said);
          CHECK(said.ends_with('.'));
          CHECK(said.front() >= 'A');
          CHECK(said.front() <= 'Z');
          CHECK(said.find("  ") == std::string::npos);
          CHECK(said.find(": .") == std::string::npos);
        }
      }
    }
  }
}

TEST_CASE("Every cause of an end has words of its own, its code and its name") {
  for (const CloseCauseInfo& cause : kCloseCauses) {
    const auto code = static_cast<std::uint64_t>(cause.code);
    const std::string said =
        sentence({StoryKind::ended, {}, code * 256 + static_cast<std::uint64_t>(cause.cause), 0});
    CHECK_FALSE(said.starts_with("Gone ("));
    CHECK(said.find('(' + std::to_string(code) + ' ' + std::string(cause.name) + ')') !=
          std::string::npos);
  }
}

TEST_CASE("A sentence says what its record holds") {
  CHECK(sentence({StoryKind::connected, {}, kOverTls | kDeflated, 2, "203.0.113.7 10.0.0.1"}) ==
        "Connected from 203.0.113.7 through the proxy 10.0.0.1 over TLS, with compression, on "
        "shard 2.");
  CHECK(sentence({StoryKind::skipped, {}, 1, 77, ""}) ==
        "Was too slow for the default channel: skipped 1 event and got a snapshot at position 77 "
        "in their place.");
  CHECK(sentence({StoryKind::ended, {}, 4403 * 256 + 11, 12, "banned"}) ==
        "Closed by a backend (4403 dismissed), saying: banned; it was 12 events behind.");
}

TEST_CASE("The lines of a story are JSON, with the time at which each happened") {
  Story story(WallTime{1'764'190'000'000'000});
  story.add({StoryKind::connected, std::chrono::milliseconds(0), 0, 1, "::1"});
  story.add({StoryKind::goodbye, std::chrono::milliseconds(1'500), 1000, 0, "\"\x1b\n"});
  const std::string lines = story_lines(story);
  REQUIRE_FALSE(json_fault(lines));
  const auto parts = json_parts(lines);
  REQUIRE(parts.size() == 2);
  CHECK(json_member(parts[0].value, "ts") == "1764190000.000000");
  CHECK(json_member(parts[1].value, "ts") == "1764190001.500000");
  CHECK(json_member(parts[1].value, "what") == "\"goodbye\"");
  CHECK(story_lines(Story()) == "[]");
}

}  // namespace
}  // namespace syncrelay
