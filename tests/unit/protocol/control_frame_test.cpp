#include "syncrelay/protocol/control_frame.h"

#include <doctest/doctest.h>

#include <string>

#include "support/frame_parser.h"

namespace syncrelay {
namespace {

using testing::Opcode;
using testing::parse_messages;

std::string wire(const ControlFrame& frame) {
  const ByteSpan bytes = frame.bytes();
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

TEST_CASE("A pong has the payload of its ping") {
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, kMaxControlPayload}) {
    const std::string payload(size, 'p');
    const auto messages = parse_messages(wire(pong_frame(payload)));
    REQUIRE(messages.size() == 1);
    CHECK(messages[0].opcode == Opcode::pong);
    CHECK(messages[0].text == payload);
  }
}

TEST_CASE("A close frame has a code and a reason, a code, or nothing") {
  CHECK(wire(close_frame(1001, "bye")) ==
        "\x88\x05\x03\xe9"
        "bye");
  CHECK(wire(close_frame(4999)) == "\x88\x02\x13\x87");
  CHECK(wire(close_frame(std::nullopt)) == std::string("\x88\x00", 2));
}

TEST_CASE("The longest reason makes the longest control frame") {
  const std::string frame = wire(close_frame(1000, std::string(kMaxCloseReason, 'r')));
  CHECK(frame.size() == 2 + kMaxControlPayload);
  CHECK(parse_messages(frame).front().opcode == Opcode::close);
}

}  // namespace
}  // namespace syncrelay
