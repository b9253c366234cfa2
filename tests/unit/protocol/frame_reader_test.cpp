#include "syncrelay/protocol/frame_reader.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "support/client_stream.h"

namespace syncrelay {
namespace {

using namespace std::literals;
using testing::client_frame;
using testing::client_frame_header;
using testing::ClientStream;
using testing::FrameForm;
using testing::LengthForm;
using testing::Outcome;
using testing::read_cut;
using testing::read_whole;
using testing::SeededChoices;
using Kind = Outcome::Kind;
using Outcomes = std::vector<Outcome>;

enum Opcode : std::uint8_t {
  kContinuation = 0x0,
  kText = 0x1,
  kBinary = 0x2,
  kClose = 0x8,
  kPing = 0x9,
  kPong = 0xa,
};

constexpr std::uint64_t kLimit = 1 << 20;
constexpr FrameForm kMore{.fin = false};

const Outcome kBroken{Kind::fault, "protocol_error"};
const Outcome kTooLarge{Kind::fault, "message_too_large"};
const Outcome kNotUtf8{Kind::fault, "invalid_utf8"};

// Letters, so that every fragment of it is text.
std::string letters(std::size_t size) {
  std::string text(size, ' ');
  for (std::size_t at = 0; at < size; ++at) text[at] = static_cast<char>('a' + at % 23);
  return text;
}

std::string close_payload(std::uint16_t code, std::string_view reason = {}) {
  return std::string{static_cast<char>(code >> 8), static_cast<char>(code & 0xff)} +
         std::string(reason);
}

std::string close_with(std::uint16_t code, std::string_view reason = {}) {
  return client_frame(kClose, close_payload(code, reason));
}

// What comes of `bytes`, the same however they are cut: in two anywhere, by bytes, at random.
Outcomes read(std::string_view bytes, std::uint64_t limit = kLimit) {
  const Outcomes whole = read_whole(bytes, limit);
  SeededChoices choices(1);
  CHECK(read_cut(bytes, limit, choices, 1) == whole);
  for (int round = 0; round < 20; ++round) CHECK(read_cut(bytes, limit, choices, 200) == whole);
  const std::size_t cuts = std::min<std::size_t>(bytes.size(), 2'000);
  for (std::size_t cut = 0; cut < cuts; ++cut) {
    ClientStream stream(limit);
    stream.read(bytes.substr(0, cut));
    stream.read(bytes.substr(cut));
    if (stream.outcomes() != whole) FAIL_CHECK("cut at ", cut);
  }
  return whole;
}

// The fault shows with the last byte of `bytes`, not before.
void check_refused_by_last_byte(std::string_view bytes, const Outcome& fault,
                                std::uint64_t limit = kLimit) {
  ClientStream stream(limit);
  stream.read(bytes.substr(0, bytes.size() - 1));
  CHECK_FALSE(stream.reader().over());
  stream.read(bytes.substr(bytes.size() - 1));
  REQUIRE_FALSE(stream.outcomes().empty());
  CHECK(stream.outcomes().back() == fault);
  CHECK(read(bytes, limit).back() == fault);
}

TEST_CASE("The example of RFC 6455 section 5.7") {
  CHECK(read("\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58"sv) == Outcomes{{Kind::text, "Hello"}});
}

// Autobahn 1.1 and 1.2.
TEST_CASE("Messages of every length form arrive as they were sent") {
  for (const std::size_t size : {0, 1, 3, 4, 7, 8, 9, 124, 125, 126, 127, 128, 65'535, 65'536}) {
    CAPTURE(size);
    const std::string text = letters(size);
    CHECK(read(client_frame(kText, text)) == Outcomes{{Kind::text, text}});
    CHECK(read(client_frame(kBinary, text)) == Outcomes{{Kind::binary, text}});
  }
}

// Autobahn 2.*.
TEST_CASE("Pings and pongs carry up to 125 bytes") {
  for (const std::size_t size : {0, 1, 8, 124, 125}) {
    const std::string payload(size, '\xfe');
    CHECK(read(client_frame(kPing, payload)) == Outcomes{{Kind::ping, payload}});
    CHECK(read(client_frame(kPong, payload)) == Outcomes{{Kind::pong, payload}});
  }
}

TEST_CASE("A control frame over 125 bytes is refused by its length") {
  for (const std::uint8_t opcode : {kPing, kPong, kClose}) {
    for (const std::uint64_t size : {std::uint64_t{126}, std::uint64_t{70'000}}) {
      const std::string header = client_frame_header(opcode, size);
      check_refused_by_last_byte(header.substr(0, 2), kBroken);
    }
    const FrameForm longer{.length = LengthForm::in_16_bits};
    check_refused_by_last_byte(client_frame(opcode, "x", longer).substr(0, 2), kBroken);
  }
}

// Autobahn 5.1 and 5.2.
TEST_CASE("A control frame in fragments is refused by its first byte") {
  for (const std::uint8_t opcode : {kPing, kPong, kClose})
    check_refused_by_last_byte(client_frame(opcode, "x", kMore).substr(0, 1), kBroken);
}

// Autobahn 3.*.
TEST_CASE("A reserved bit is refused by the frame's first byte, whatever the frame") {
  for (const std::uint8_t opcode : {kText, kBinary, kClose, kPing, kPong}) {
    for (std::uint8_t reserved = 1; reserved < 8; ++reserved) {
      const std::string frame = client_frame(opcode, {}, {.reserved = reserved});
      check_refused_by_last_byte(frame.substr(0, 1), kBroken);
      const Outcomes outcomes = read(client_frame(kText, "first") + frame);
      CHECK(outcomes == Outcomes{{Kind::text, "first"}, kBroken});
    }
  }
}

// Autobahn 4.*.
TEST_CASE("A reserved opcode is refused by the frame's first byte") {
  for (const std::uint8_t opcode : {0x3, 0x4, 0x5, 0x6, 0x7, 0xb, 0xc, 0xd, 0xe, 0xf}) {
    check_refused_by_last_byte(client_frame(opcode, {}).substr(0, 1), kBroken);
    const std::string frames = client_frame(kText, "first") + client_frame(opcode, "x");
    CHECK(read(frames) == Outcomes{{Kind::text, "first"}, kBroken});
  }
}

TEST_CASE("A frame without a mask is refused by its second byte") {
  for (const std::uint8_t opcode : {kText, kBinary, kClose, kPing, kPong}) {
    for (const std::size_t size : {std::size_t{0}, std::size_t{5}, std::size_t{125}}) {
      const std::string frame = client_frame(opcode, letters(size), {.masked = false});
      check_refused_by_last_byte(frame.substr(0, 2), kBroken);
    }
  }
  check_refused_by_last_byte(client_frame(kText, letters(200), {.masked = false}).substr(0, 2),
                             kBroken);
}

TEST_CASE("A length is in its shortest form") {
  struct Case {
    std::uint64_t size;
    LengthForm form;
    bool allowed;
  };
  constexpr Case kCases[] = {
      {0, LengthForm::in_16_bits, false},     {125, LengthForm::in_16_bits, false},
      {126, LengthForm::in_16_bits, true},    {0, LengthForm::in_64_bits, false},
      {126, LengthForm::in_64_bits, false},   {65'535, LengthForm::in_64_bits, false},
      {65'536, LengthForm::in_64_bits, true},
  };
  for (const Case& example : kCases) {
    CAPTURE(example.size);
    const std::string text = letters(example.size);
    const std::string frame = client_frame(kBinary, text, {.length = example.form});
    if (example.allowed) {
      CHECK(read(frame) == Outcomes{{Kind::binary, text}});
      continue;
    }
    const std::size_t length_ends = example.form == LengthForm::in_16_bits ? 4 : 10;
    check_refused_by_last_byte(frame.substr(0, length_ends), kBroken);
  }
}

TEST_CASE("A length over 63 bits breaks the protocol, one below it only the limit") {
  const auto header = [](std::uint64_t size) {
    return client_frame_header(kBinary, size).substr(0, 10);
  };
  check_refused_by_last_byte(header(UINT64_MAX), kBroken);
  check_refused_by_last_byte(header(std::uint64_t{1} << 63), kBroken);
  check_refused_by_last_byte(header(INT64_MAX), kTooLarge);
  ClientStream unlimited(UINT64_MAX);
  unlimited.read(header(INT64_MAX));
  CHECK(unlimited.outcomes().empty());
}

// Autobahn 5.3 to 5.8, 5.15, 5.19, 5.20.
TEST_CASE("Fragments make one message, with control frames between them") {
  const std::string frames = client_frame(kText, "frag", kMore) + client_frame(kPing, "1") +
                             client_frame(kContinuation, "", kMore) +
                             client_frame(kContinuation, "men", kMore) + client_frame(kPong, "2") +
                             client_frame(kPing, "") + client_frame(kContinuation, "ts") +
                             client_frame(kText, "next");
  CHECK(read(frames) == Outcomes{{Kind::ping, "1"},
                                 {Kind::pong, "2"},
                                 {Kind::ping, ""},
                                 {Kind::text, "fragments"},
                                 {Kind::text, "next"}});
  const std::string nothing = client_frame(kBinary, "", kMore) +
                              client_frame(kContinuation, "", kMore) +
                              client_frame(kContinuation, "");
  CHECK(read(nothing) == Outcomes{{Kind::binary, ""}});
}

// Autobahn 5.9 to 5.14.
TEST_CASE("A continuation of nothing is refused by its first byte") {
  for (const FrameForm form : {FrameForm{}, kMore}) {
    const std::string stray = client_frame(kContinuation, "x", form).substr(0, 1);
    check_refused_by_last_byte(stray, kBroken);
    check_refused_by_last_byte(client_frame(kText, "whole") + stray, kBroken);
    check_refused_by_last_byte(
        client_frame(kText, "a", kMore) + client_frame(kContinuation, "b") + stray, kBroken);
    check_refused_by_last_byte(client_frame(kPing, "x") + stray, kBroken);
  }
}

// Autobahn 5.16 to 5.18.
TEST_CASE("A new message inside another is refused by its first byte") {
  for (const std::uint8_t outer : {kText, kBinary}) {
    for (const std::uint8_t inner : {kText, kBinary}) {
      for (const FrameForm form : {FrameForm{}, kMore}) {
        check_refused_by_last_byte(
            client_frame(outer, "a", kMore) + client_frame(inner, "b", form).substr(0, 1), kBroken);
      }
    }
  }
}

TEST_CASE("A message over the limit is refused by its header") {
  CHECK(read(client_frame(kText, letters(100)), 100) == Outcomes{{Kind::text, letters(100)}});
  check_refused_by_last_byte(client_frame_header(kText, 101).substr(0, 2), kTooLarge, 100);
  check_refused_by_last_byte(client_frame_header(kText, 1'000).substr(0, 4), kTooLarge, 100);
  check_refused_by_last_byte(client_frame_header(kBinary, 1 << 20).substr(0, 10), kTooLarge, 100);
  CHECK(read(client_frame(kText, ""), 0) == Outcomes{{Kind::text, ""}});
  CHECK(read(client_frame(kText, "x"), 0) == Outcomes{kTooLarge});
}

TEST_CASE("All fragments of a message count for the limit, control frames do not") {
  const std::string half = client_frame(kText, letters(50), kMore);
  const std::string pings = client_frame(kPing, letters(125)) + client_frame(kPong, letters(125));
  const std::string full = half + pings + client_frame(kContinuation, letters(50), kMore);
  CHECK(read(full + client_frame(kContinuation, ""), 100).size() == 3);
  check_refused_by_last_byte(full + client_frame_header(kContinuation, 1).substr(0, 2), kTooLarge,
                             100);
  const std::string twice = client_frame(kText, letters(100)) + client_frame(kText, letters(100));
  CHECK(read(twice, 100) == Outcomes{{Kind::text, letters(100)}, {Kind::text, letters(100)}});
}

// Autobahn 7.7 and 7.9, and IANA's registry.
TEST_CASE("A close code is one that may be sent") {
  const auto allowed = [](std::uint32_t code) {
    return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) ||
           (code >= 3000 && code <= 4999);
  };
  for (const std::uint16_t code : {1000, 1001, 1002, 1003, 1007, 1014, 3000, 3999, 4000, 4999}) {
    REQUIRE(allowed(code));
    CHECK(read(close_with(code)) == Outcomes{{Kind::close, "", code}});
  }
  for (const std::uint16_t code :
       {0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65'535}) {
    REQUIRE_FALSE(allowed(code));
    CHECK(read(close_with(code)) == Outcomes{kBroken});
  }
  for (std::uint32_t code = 0; code <= UINT16_MAX; ++code) {
    const auto outcomes = read_whole(close_with(static_cast<std::uint16_t>(code)), kLimit);
    if ((outcomes.front().kind == Kind::close) != allowed(code)) FAIL_CHECK(code);
  }
}

// Autobahn 7.3 and 7.5.
TEST_CASE("A close frame has nothing, a code, or a code and a reason that is UTF-8") {
  const std::string longest = letters(123);
  CHECK(read(client_frame(kClose, "")) == Outcomes{{Kind::close, ""}});
  CHECK(read(client_frame(kClose, "\x03")) == Outcomes{kBroken});
  CHECK(read(client_frame(kClose, "\x03") + "\xe8") == Outcomes{kBroken});
  CHECK(read(close_with(1000, "Hello World!")) == Outcomes{{Kind::close, "Hello World!", 1000}});
  CHECK(read(close_with(1000, longest)) == Outcomes{{Kind::close, longest, 1000}});
  CHECK(read(close_with(1000, letters(124))) == Outcomes{kBroken});
  for (const std::string_view reason : {"\xff"sv, "caf\xc3"sv, "\xed\xa0\x80"sv})
    CHECK(read(close_with(1000, reason)) == Outcomes{kNotUtf8});
}

// Autobahn 7.1.
TEST_CASE("Nothing is read behind a close frame or a fault") {
  const std::string more = client_frame(kPing, "x") + client_frame(kText, "y") + "\xff\xff\xff" +
                           close_with(1001) + std::string(100, '\0');
  CHECK(read(close_with(1000) + more) == Outcomes{{Kind::close, "", 1000}});
  CHECK(read(client_frame(kText, "\xff") + more) == Outcomes{kNotUtf8});
  CHECK(read(client_frame(0x3, "") + more) == Outcomes{kBroken});
}

TEST_CASE("A close frame is taken in the middle of a message") {
  CHECK(read(client_frame(kText, "frag", kMore) + close_with(1001, "gone")) ==
        Outcomes{{Kind::close, "gone", 1001}});
}

TEST_CASE("Whole frames are handed out as views of what was read") {
  for (const std::uint8_t opcode : {kText, kBinary, kPing, kPong}) {
    std::string bytes = client_frame(opcode, letters(100));
    const char* const payload = bytes.data() + bytes.size() - 100;
    std::span<std::byte> left(reinterpret_cast<std::byte*>(bytes.data()), bytes.size());
    FrameReader reader(kLimit);
    const auto incoming = reader.next(left);
    REQUIRE(incoming);
    const std::string_view view = std::visit(
        [](const auto& frame) -> std::string_view {
          if constexpr (requires { frame.payload; }) return frame.payload;
          return {};
        },
        *incoming);
    CHECK(view.data() == payload);
    CHECK(view == letters(100));
    CHECK(left.empty());
  }
}

TEST_CASE("What arrives of a message is handed out at once, and says whether it begins and ends") {
  const std::string frame = client_frame(kText, "abcdef");
  FrameReader reader(kLimit);
  const auto piece = [&reader](std::string bytes) -> std::optional<MessagePiece> {
    std::span<std::byte> left(reinterpret_cast<std::byte*>(bytes.data()), bytes.size());
    const auto incoming = reader.next(left);
    if (!incoming) return std::nullopt;
    MessagePiece found = std::get<MessagePiece>(*incoming);
    found.payload = {};  // it points into bytes
    return found;
  };
  CHECK_FALSE(piece(frame.substr(0, 6)));
  const auto first = piece(frame.substr(6, 2));
  REQUIRE(first);
  CHECK((first->begins && !first->ends));
  const auto middle = piece(frame.substr(8, 2));
  REQUIRE(middle);
  CHECK((!middle->begins && !middle->ends));
  const auto last = piece(frame.substr(10));
  REQUIRE(last);
  CHECK((!last->begins && last->ends));
}

TEST_CASE("Random sequences of frames come out as they went in") {
  SeededChoices choices(7);
  for (int round = 0; round < 100; ++round) {
    std::string bytes;
    Outcomes expected;
    for (std::uint32_t count = choices.below(6); count > 0; --count) {
      const bool text = choices.one_in(2);
      const std::string message = letters(choices.below(1'000));
      const std::size_t cut =
          message.empty() ? 0 : choices.below(static_cast<std::uint32_t>(message.size()));
      const std::string ping = letters(choices.below(126));
      bytes += client_frame(text ? kText : kBinary, message.substr(0, cut), kMore);
      bytes += client_frame(kPing, ping);
      bytes += client_frame(kContinuation, message.substr(cut));
      expected.push_back({Kind::ping, ping});
      expected.push_back({text ? Kind::text : Kind::binary, message});
    }
    CHECK(read_cut(bytes, kLimit, choices, 1 + choices.below(500)) == expected);
  }
}

}  // namespace
}  // namespace syncrelay
