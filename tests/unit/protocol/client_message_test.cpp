#include "syncrelay/protocol/client_message.h"

#include <doctest/doctest.h>

#include <vector>

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

TEST_CASE("Anything else is ignored") {
  for (const char* text :
       {"", "ping", "{}", "[]", "null", R"("sync:ping")", R"(["sync:ping"])", R"({"type":1})",
        R"({"type":"sync:pin"})", R"({"type":"sync:pings"})", R"({"type":"sync:ping")",
        R"({"type":"sync:ping"}x)", R"({"type":"ping","type":"sync:ping"})",
        R"({"data":{"type":"sync:ping"}})", R"({"type":"sync:ping\u0000"})",
        R"({"a":"sync:ping","type":"x"})"}) {
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
