#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <vector>

#include "support/client_stream.h"

// Chapter 6 of the Autobahn test suite: text that is, and text that is not UTF-8.
namespace syncrelay {
namespace {

using namespace std::literals;
using testing::client_frame;
using testing::client_frame_header;
using testing::ClientStream;
using testing::Outcome;
using testing::read_whole;
using Kind = Outcome::Kind;

constexpr std::uint64_t kLimit = 1 << 20;
constexpr std::uint8_t kContinuation = 0x0;
constexpr std::uint8_t kText = 0x1;
constexpr std::string_view kKosme = "\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5"sv;

const Outcome kInvalid{Kind::fault, "invalid_utf8"};

// 6.5, 6.7, 6.9, 6.11, 6.13, 6.16 to 6.19, 6.22, 6.23
constexpr std::string_view kValid[] = {
    ""sv,
    kKosme,
    "Hello-\xc2\xb5@\xc3\x9f\xc3\xb6\xc3\xa4\xc3\xbc\xc3\xa0\xc3\xa1-UTF-8!!"sv,
    "\x00"sv,
    "\xc2\x80"sv,
    "\xe0\xa0\x80"sv,
    "\xf0\x90\x80\x80"sv,
    "\x7f"sv,
    "\xdf\xbf"sv,
    "\xef\xbf\xbf"sv,
    "\xf4\x8f\xbf\xbf"sv,
    "\xed\x9f\xbf"sv,
    "\xee\x80\x80"sv,
    "\xef\xbf\xbd"sv,
    "\xef\xbf\xbe"sv,
    "\xf0\x9f\xbf\xbe"sv,
};

// 6.3, 6.6, 6.8, 6.10, 6.12, 6.14, 6.15, 6.20, 6.21. The first byte that cannot be is the last one.
constexpr std::string_view kWrong[] = {
    "\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5\xed\xa0"sv,
    "\xf8"sv,
    "\xfc"sv,
    "\xfe"sv,
    "\xff"sv,
    "\x80"sv,
    "\xbf"sv,
    "\xc0"sv,
    "\xc1"sv,
    "\xf4\x90"sv,
    "\xf5"sv,
    "\xe0\x80"sv,
    "\xe0\x9f"sv,
    "\xf0\x80"sv,
    "\xf0\x8f"sv,
    "\xed\xa0"sv,
    "\xed\xbf"sv,
    "\xc3 "sv,
    "\xe2\x82 "sv,
    "\xf0\x9f\x98 "sv,
    "text\xce"
    "a"sv,
};

// A message may not end there, but might have gone on (6.6, 6.14).
constexpr std::string_view kUnfinished[] = {"\xce"sv, "\xe1"sv,     "\xe1\xbd"sv,
                                            "\xf0"sv, "\xf0\x9f"sv, "\xf0\x9f\x98"sv};

// In fragments of a byte each (6.2.3, 6.2.4).
std::string byte_fragments(std::string_view text) {
  std::string frames = client_frame(kText, {}, {.fin = false});
  for (const char& c : text) frames += client_frame(kContinuation, {&c, 1}, {.fin = false});
  return frames + client_frame(kContinuation, {});
}

TEST_CASE("UTF-8 passes, whole and in fragments of a byte") {
  for (const std::string_view text : kValid) {
    const std::vector<Outcome> expected{{Kind::text, std::string(text)}};
    CHECK(read_whole(client_frame(kText, text), kLimit) == expected);
    CHECK(read_whole(byte_fragments(text), kLimit) == expected);
  }
}

TEST_CASE("Text that is not UTF-8 is a fault, wherever in the message") {
  for (const std::string_view wrong : kWrong) {
    CAPTURE(wrong.size());
    for (const std::size_t before : {0, 1, 7, 8, 9, 100}) {
      const std::string text = std::string(before, 'a') + std::string(wrong) + "and more";
      CHECK(read_whole(client_frame(kText, text), kLimit) == std::vector{kInvalid});
      CHECK(read_whole(byte_fragments(text), kLimit) == std::vector{kInvalid});
    }
  }
}

TEST_CASE("It is a fault as soon as its byte is there, not at the end of the message") {
  for (const std::string_view wrong : kWrong) {
    CAPTURE(wrong.size());
    const std::string frame = client_frame(kText, std::string(wrong) + "to be continued");
    const std::size_t at = frame.size() - "to be continued"sv.size();
    ClientStream stream(kLimit);
    stream.read(frame.substr(0, at - 1));
    CHECK(stream.outcomes().empty());
    stream.read(frame.substr(at - 1, 1));
    CHECK(stream.outcomes() == std::vector{kInvalid});
  }
}

// 6.4.1 to 6.4.4: kosme, then F4 90 80 80, then "edited", in frames and in reads.
TEST_CASE("Fail-fast: the rest of a message that cannot be text any more is not waited for") {
  const std::string begin = client_frame(kText, kKosme, {.fin = false});
  const std::string above = client_frame(kContinuation, "\xf4\x90\x80\x80", {.fin = false});
  ClientStream frames(kLimit);
  frames.read(begin);
  CHECK(frames.outcomes().empty());
  frames.read(above);
  CHECK(frames.outcomes() == std::vector{kInvalid});

  ClientStream reads(kLimit);
  const std::string text = std::string(kKosme) + "\xf4\x90";
  const std::string frame = client_frame(kText, text +
                                                    "\x80\x80"
                                                    "edited");
  const std::size_t header = client_frame_header(kText, text.size() + 8).size();
  reads.read(std::string_view(frame).substr(0, header + kKosme.size() + 1));
  CHECK(reads.outcomes().empty());
  reads.read(std::string_view(frame).substr(header + kKosme.size() + 1, 1));
  CHECK(reads.outcomes() == std::vector{kInvalid});
}

TEST_CASE("A message may not end inside a character, a fragment may") {
  for (const std::string_view text : kUnfinished) {
    CHECK(read_whole(client_frame(kText, text), kLimit) == std::vector{kInvalid});
    CHECK(read_whole(byte_fragments(text), kLimit) == std::vector{kInvalid});
    CHECK(read_whole(client_frame(kText, text, {.fin = false}), kLimit).empty());
  }
}

TEST_CASE("Bytes that are no text are a binary message's right") {
  for (const std::string_view bytes : kWrong) {
    CHECK(read_whole(client_frame(0x2, bytes), kLimit) ==
          std::vector<Outcome>{{Kind::binary, std::string(bytes)}});
  }
}

TEST_CASE("The next message's text begins anew") {
  const std::string frames = client_frame(kText, kKosme) + client_frame(kText, "\xbd");
  CHECK(read_whole(frames, kLimit) ==
        std::vector<Outcome>{{Kind::text, std::string(kKosme)}, kInvalid});
}

}  // namespace
}  // namespace syncrelay
