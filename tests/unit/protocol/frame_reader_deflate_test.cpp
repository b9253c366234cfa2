// What a client may deflate (RFC 7692 section 6).

#include <doctest/doctest.h>

#include "support/client_stream.h"
#include "support/inflated.h"

namespace syncrelay {
namespace {

using testing::client_frame;
using testing::deflated;
using testing::FrameForm;
using testing::Outcome;
using testing::read_cut;
using testing::SeededChoices;
using Kind = Outcome::Kind;
using Outcomes = std::vector<Outcome>;

constexpr std::uint64_t kLimit = 1 << 20;
constexpr std::uint8_t kRsv1 = 4;
constexpr std::uint8_t kContinued = 0;
constexpr std::uint8_t kTextFrame = 1;
constexpr std::uint8_t kBinaryFrame = 2;
constexpr std::uint8_t kPingFrame9 = 9;
const Outcome kBroken{Kind::fault, "protocol_error"};

Outcomes read(std::string_view bytes, std::uint64_t limit = kLimit) {
  return testing::read_whole(bytes, limit, true);
}

TEST_CASE("Deflated and plain messages may follow each other, of text and of bytes") {
  const std::string text(1000, 'a');
  const std::string bytes = client_frame(kTextFrame, deflated(text), {.reserved = kRsv1}) +
                            client_frame(kTextFrame, text) +
                            client_frame(kBinaryFrame, deflated("\xff"), {.reserved = kRsv1}) +
                            client_frame(kTextFrame, deflated(""), {.reserved = kRsv1});
  const Outcomes expected = {
      {Kind::text, text}, {Kind::text, text}, {Kind::binary, "\xff"}, {Kind::text, ""}};
  CHECK(read(bytes) == expected);
  SeededChoices choices(1);
  CHECK(read_cut(bytes, kLimit, choices, 1, true) == expected);
  CHECK(read_cut(bytes, kLimit, choices, 30, true) == expected);
}

TEST_CASE("A deflated message may be cut into frames at every byte, with pings between them") {
  const std::string payload = deflated("a text that is \xc3\xa4 little longer, a text that is");
  for (std::size_t cut = 0; cut <= payload.size(); ++cut) {
    const std::string bytes =
        client_frame(kTextFrame, payload.substr(0, cut), {.fin = false, .reserved = kRsv1}) +
        client_frame(kPingFrame9, "p") + client_frame(kContinued, payload.substr(cut));
    const Outcomes expected = {
        {Kind::ping, "p"}, {Kind::text, "a text that is \xc3\xa4 little longer, a text that is"}};
    REQUIRE(read(bytes) == expected);
  }
}

TEST_CASE("RSV1 is for the first frame of a message, and only where it was negotiated") {
  const std::string payload = deflated("text");
  const std::string first = client_frame(kTextFrame, payload, {.fin = false, .reserved = kRsv1});
  CHECK(read(client_frame(kPingFrame9, "", {.reserved = kRsv1})) == Outcomes{kBroken});
  CHECK(read(first + client_frame(kContinued, "", {.reserved = kRsv1})) == Outcomes{kBroken});
  CHECK(read(client_frame(kTextFrame, payload, {.reserved = 5})) == Outcomes{kBroken});
  CHECK(read(client_frame(kTextFrame, payload, {.reserved = 2})) == Outcomes{kBroken});
  CHECK(read(client_frame(kTextFrame, payload, {.reserved = 1})) == Outcomes{kBroken});
  CHECK(testing::read_whole(client_frame(kTextFrame, payload, {.reserved = kRsv1}), kLimit) ==
        Outcomes{kBroken});
}

TEST_CASE("Text is to be UTF-8 when it is inflated, and the limit holds before and after") {
  const auto one = [](const std::string& payload) {
    return client_frame(kTextFrame, payload, {.reserved = kRsv1});
  };
  CHECK(read(one(deflated("\xff"))) == Outcomes{{Kind::fault, "invalid_utf8"}});
  CHECK(read(one("\xff\xff")) == Outcomes{{Kind::fault, "invalid_deflate"}});
  const std::string payload = deflated(std::string(1000, 'a'));
  CHECK(read(one(payload), 999) == Outcomes{{Kind::fault, "message_too_large"}});
  CHECK(read(one(payload), payload.size() - 1) == Outcomes{{Kind::fault, "message_too_large"}});
  CHECK(read(one(payload), 1000).front().kind == Kind::text);
}

}  // namespace
}  // namespace syncrelay
