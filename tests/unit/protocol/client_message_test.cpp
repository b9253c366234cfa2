#include "syncrelay/protocol/client_message.h"

#include <doctest/doctest.h>

#include <vector>

#include "syncrelay/protocol/channel_name.h"

namespace syncrelay {
namespace {

constexpr std::string_view kPing = R"({"type":"sync:ping"})";

// What the reader makes of a message that comes in these pieces.
std::optional<ClientMessage> said(ClientMessageReader& reader,
                                  const std::vector<std::string_view>& pieces,
                                  MessageKind kind = MessageKind::text) {
  std::optional<ClientMessage> last;
  for (std::size_t at = 0; at < pieces.size(); ++at) {
    CHECK_FALSE(last);
    last = reader.take({kind, pieces[at], at == 0, at + 1 == pieces.size()});
  }
  return last;
}

bool is_ping(const std::optional<ClientMessage>& message) {
  return message && std::holds_alternative<PingMessage>(*message);
}

TEST_CASE("A client asks for a heartbeat") {
  for (const char* text : {R"({"type":"sync:ping"})", R"( { "id" : 1e400, "type" : "sync:ping" } )",
                           R"({"type":"sync:ping","more":[{"type":"x"}]})"}) {
    CAPTURE(text);
    CHECK(is_ping(parse_client_message(text)));
  }
}

// What a text says as a subscription.
SubscribeMessage subscription(std::string_view text) {
  const auto message = parse_client_message(text);
  REQUIRE(message);
  REQUIRE(std::holds_alternative<SubscribeMessage>(*message));
  return std::get<SubscribeMessage>(*message);
}

std::string with_position(const std::string& members) {
  return R"({"type":"sync:subscribe","channel":"a",)" + members + "}";
}

TEST_CASE("A client subscribes to a channel, from the beginning or from a position") {
  const SubscribeMessage bare = subscription(R"({"type":"sync:subscribe","channel":"room:43"})");
  CHECK(bare.channel == "room:43");
  CHECK_FALSE(bare.wants_resume);
  CHECK_FALSE(bare.after);
  const SubscribeMessage resumed = subscription(
      R"( {"seq":18446744073709551615, "epoch" : "9f\u0032c","channel":"\u0061\/\ud83c\udfb5", "type":"sync:subscribe","x":[{"channel":"b"}]} )");
  CHECK(resumed.channel == "a/🎵");
  CHECK(resumed.wants_resume);
  REQUIRE(resumed.after);
  CHECK(resumed.after->epoch == "9f2c");
  CHECK(resumed.after->seq.value == 18446744073709551615U);
  CHECK(subscription(R"({"type":"sync:subscribe"})").channel.empty());
  CHECK(subscription(R"({"type":"sync:subscribe","channel":""})").channel.empty());
  CHECK(subscription(R"({"type":"sync:subscribe","channel":"a","channel":7})").channel == "a");
}

TEST_CASE("A position that is ill formed is one that was asked for and is not known") {
  const std::string longest(64, 'e');
  CHECK(subscription(with_position(R"("epoch":")" + longest + R"(","seq":0)")).after);
  for (const std::string& members :
       {R"("epoch":")" + longest + R"(e","seq":0)", std::string(R"("epoch":"e")"),
        std::string(R"("seq":7)"), std::string(R"("epoch":null,"seq":null)"),
        std::string(R"("epoch":7,"seq":7)"), std::string(R"("epoch":"e","seq":"7")"),
        std::string(R"("epoch":"e","seq":[7])"), std::string(R"("epoch":"e","seq":-1)"),
        std::string(R"("epoch":"e","seq":7.0)"), std::string(R"("epoch":"e","seq":1e2)"),
        std::string(R"("epoch":"e","seq":1e400)"),
        std::string(R"("epoch":"e","seq":18446744073709551616)")}) {
    CAPTURE(members);
    const SubscribeMessage message = subscription(with_position(members));
    CHECK(message.channel == "a");
    CHECK(message.wants_resume);
    CHECK_FALSE(message.after);
  }
}

TEST_CASE("A client unsubscribes") {
  const auto message = parse_client_message(R"({"channel":"room:43","type":"sync:unsubscribe"})");
  REQUIRE(message);
  REQUIRE(std::holds_alternative<UnsubscribeMessage>(*message));
  CHECK(std::get<UnsubscribeMessage>(*message).channel == "room:43");
  const auto bare = parse_client_message(R"({"type":"sync:unsubscribe"})");
  REQUIRE(bare);
  CHECK(std::get<UnsubscribeMessage>(*bare).channel.empty());
}

TEST_CASE("A channel that is no string is no channel's name") {
  for (const std::string other : {"null", "true", "42", "[]", "[\"a\"]", "{\"a\":1}"}) {
    const std::string channel =
        subscription(R"({"type":"sync:subscribe","channel":)" + other + "}").channel;
    CAPTURE(channel);
    CHECK_FALSE(channel.empty());
    CHECK_FALSE(is_channel_name(channel));
    CHECK(channel.find(other) != channel.npos);
  }
}

TEST_CASE("Anything else is ignored") {
  for (const char* text : {"",
                           "ping",
                           "{}",
                           "[]",
                           "null",
                           R"("sync:ping")",
                           R"(["sync:ping"])",
                           R"({"type":1})",
                           R"({"type":"sync:pin"})",
                           R"({"type":"sync:pings"})",
                           R"({"type":"sync:ping")",
                           R"({"type":"sync:ping"}x)",
                           R"({"type":"ping","type":"sync:ping"})",
                           R"({"data":{"type":"sync:ping"}})",
                           R"({"type":"sync:ping\u0000"})",
                           R"({"a":"sync:ping","type":"x"})",
                           R"({"type":"sync:hello"})",
                           R"({"type":"sync:"})",
                           R"({"type":"\u0073ync:ping"})",
                           R"({"\u0074ype":"sync:ping"})",
                           R"({"type":["sync:subscribe"],"channel":"a"})",
                           R"({"type":"sync:subscribe","channel":"a")",
                           R"({"type":"sync:subscribe","channel":"\ud83c"})"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_client_message(text));
  }
}

TEST_CASE("However a message is cut, it says the same") {
  ClientMessageReader reader;
  for (std::size_t first = 0; first <= kPing.size(); ++first) {
    for (std::size_t second = first; second <= kPing.size(); ++second) {
      CHECK(is_ping(said(reader, {kPing.substr(0, first), kPing.substr(first, second - first),
                                  kPing.substr(second)})));
    }
  }
}

TEST_CASE("Binary messages are ignored, whole or cut") {
  ClientMessageReader reader;
  CHECK_FALSE(said(reader, {kPing}, MessageKind::binary));
  CHECK_FALSE(said(reader, {kPing.substr(0, 5), kPing.substr(5)}, MessageKind::binary));
  CHECK(is_ping(said(reader, {kPing})));
}

TEST_CASE("A message over the limit is ignored, and the next one is read") {
  ClientMessageReader reader;
  const std::string spaces(ClientMessageReader::kMaxBytes - kPing.size(), ' ');
  const std::string longest = spaces + std::string(kPing);
  const std::string longer = spaces + ' ' + std::string(kPing);
  CHECK(is_ping(said(reader, {longest})));
  CHECK_FALSE(said(reader, {longer}));
  CHECK(is_ping(said(reader, {spaces, kPing})));
  CHECK_FALSE(said(reader, {spaces, " ", kPing}));
  CHECK_FALSE(said(reader, {longer, kPing}));
  CHECK_FALSE(said(reader, {longer, "", kPing, ""}));
  CHECK(is_ping(said(reader, {kPing})));
}

TEST_CASE("A message that never ended does not reach into the next") {
  ClientMessageReader reader;
  CHECK_FALSE(reader.take({MessageKind::text, kPing.substr(0, 8), true, false}));
  CHECK_FALSE(said(reader, {kPing.substr(8)}));
  CHECK(is_ping(said(reader, {kPing})));
}

}  // namespace
}  // namespace syncrelay
