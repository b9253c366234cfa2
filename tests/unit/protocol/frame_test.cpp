#include "syncrelay/protocol/frame.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <vector>

#include "support/choices.h"
#include "support/frame_parser.h"
#include "syncrelay/protocol/limits.h"

namespace syncrelay {
namespace {

using testing::parse_messages;
using testing::WireMessage;

std::string text_of_size(std::size_t size) {
  std::string text(size, ' ');
  for (std::size_t index = 0; index < size; ++index)
    text[index] = static_cast<char>('a' + index % 23);
  return text;
}

std::string frames_of(std::string_view text, MessagePart part = MessagePart::whole) {
  std::string frames(wire_size(text.size()), '\xff');
  MessageWriter(reinterpret_cast<std::byte*>(frames.data()), text.size(), part).write(text);
  return frames;
}

TEST_CASE("A message of any size comes out whole, in as few fragments as can be") {
  constexpr std::size_t kMost = kFragmentBytes;
  for (const std::size_t size :
       {std::size_t{0}, std::size_t{1}, std::size_t{124}, std::size_t{125}, std::size_t{126},
        std::size_t{127}, std::size_t{65'534}, kMost, kMost + 1, kMost + 125, kMost + 126,
        2 * kMost - 1, 2 * kMost, 2 * kMost + 1, std::size_t{1'000'000}}) {
    CAPTURE(size);
    const std::string text = text_of_size(size);
    const std::vector<WireMessage> messages = parse_messages(frames_of(text));
    REQUIRE(messages.size() == 1);
    CHECK(messages[0].text == text);
    CHECK(messages[0].fragments == std::max<std::size_t>((size + kMost - 1) / kMost, 1));
  }
}

TEST_CASE("The header bytes are those of RFC 6455") {
  CHECK(frames_of("") == std::string("\x81\x00", 2));
  CHECK(frames_of("hi") == "\x81\x02hi");
  CHECK(frames_of(text_of_size(125)).substr(0, 2) == "\x81\x7d");
  CHECK(frames_of(text_of_size(126)).substr(0, 4) == std::string("\x81\x7e\x00\x7e", 4));
  CHECK(frames_of(text_of_size(65'535)).substr(0, 4) == "\x81\x7e\xff\xff");
  const std::string long_message = frames_of(text_of_size(65'536));
  CHECK(long_message.substr(0, 4) == "\x01\x7e\xff\xff");
  CHECK(long_message.substr(4 + 65'535, 2) == std::string("\x80\x01", 2));
  CHECK(parse_messages(kPingFrame).front().opcode == testing::Opcode::ping);
}

TEST_CASE("A message may be written in pieces of any size") {
  testing::SeededChoices choices(3);
  for (const std::size_t size :
       {std::size_t{1}, std::size_t{300}, std::size_t{70'000}, std::size_t{200'000}}) {
    const std::string text = text_of_size(size);
    std::string frames(wire_size(size), '\0');
    MessageWriter writer(reinterpret_cast<std::byte*>(frames.data()), size);
    for (std::string_view rest = text; !rest.empty();) {
      const std::string_view piece = rest.substr(0, choices.below(40'000));
      writer.write(piece);
      rest.remove_prefix(piece.size());
    }
    CHECK(frames == frames_of(text));
  }
}

TEST_CASE("A beginning and an end make one message") {
  for (const std::size_t size : {std::size_t{1}, std::size_t{126}, std::size_t{65'535},
                                 std::size_t{65'536}, std::size_t{131'070}}) {
    for (const std::size_t rest :
         {std::size_t{0}, std::size_t{1}, std::size_t{60'000}, std::size_t{70'000}}) {
      CAPTURE(size);
      CAPTURE(rest);
      const std::string text = text_of_size(size + rest);
      const std::string beginning = frames_of(text.substr(0, size), MessagePart::beginning);
      const std::string end = frames_of(text.substr(size), MessagePart::end);
      CHECK(parse_messages(beginning).front().text == "error: ends inside a message");
      const std::vector<WireMessage> messages = parse_messages(beginning + end);
      REQUIRE(messages.size() == 1);
      CHECK(messages[0].text == text);
    }
  }
}

TEST_CASE("The end of the frame is found from every byte of it") {
  const std::string frames = frames_of("") + frames_of("x") + frames_of(text_of_size(125)) +
                             frames_of(text_of_size(126)) + std::string(kPingFrame) +
                             frames_of(text_of_size(300));
  const std::vector<std::size_t> ends = {2, 5, 132, 262, 265, 569};
  REQUIRE(frames.size() == ends.back());
  CHECK(frame_end(as_bytes(frames), 0) == 0);
  for (std::size_t offset = 1; offset <= frames.size(); ++offset) {
    const std::size_t expected = *std::lower_bound(ends.begin(), ends.end(), offset);
    REQUIRE(frame_end(as_bytes(frames), offset) == expected);
  }
}

TEST_CASE("The end of a fragment is found, too") {
  const std::string frames = frames_of(text_of_size(70'000)) + frames_of("x");
  const std::size_t first = 4 + kFragmentBytes;
  const std::size_t second = first + 4 + 70'000 - kFragmentBytes;
  for (const std::size_t offset : {std::size_t{1}, std::size_t{4}, first - 1, first}) {
    CHECK(frame_end(as_bytes(frames), offset) == first);
  }
  CHECK(frame_end(as_bytes(frames), first + 1) == second);
  CHECK(frame_end(as_bytes(frames), second + 1) == frames.size());
}

}  // namespace
}  // namespace syncrelay
