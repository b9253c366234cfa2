#include "syncrelay/ws/upgrade.h"

#include <doctest/doctest.h>

#include <chrono>
#include <string>
#include <utility>

namespace syncrelay {
namespace {

using std::chrono::seconds;

// The head of a good request, with one field otherwise; an empty value leaves it out.
std::string head_with(const std::string& name = {}, const std::string& value = {}) {
  std::string head = "GET /ws/sync HTTP/1.1\r\n";
  const std::pair<std::string, std::string> fields[] = {
      {"Host", "example.org:8642"},          {"Upgrade", "websocket"},
      {"Connection", "keep-alive, Upgrade"}, {"Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="},
      {"Sec-WebSocket-Version", "13"},       {"Origin", ""},
      {"Sec-WebSocket-Protocol", ""}};
  for (const auto& [known, usual] : fields) {
    const std::string& sent = known == name ? value : usual;
    if (!sent.empty()) head.append(known).append(": ").append(sent).append("\r\n");
  }
  return head + "\r\n";
}

// The status that the request is refused with; 0 when it is not.
int refusal_status(const std::string& head, RefusalReason reason) {
  const auto request = HttpRequest::parse(head);
  REQUIRE(request);
  const auto refusal = check_upgrade(request.value());
  if (!refusal) return 0;
  CHECK(refusal->reason == reason);
  CHECK_FALSE(refusal->response.body.empty());
  return refusal->response.status;
}

TEST_CASE("A correct handshake is let in") {
  CHECK(refusal_status(head_with(), RefusalReason::bad_request) == 0);
}

TEST_CASE("Only a WebSocket is ever upgraded to") {
  const auto wants = [](const std::string& upgrade) {
    const std::string head = head_with("Upgrade", upgrade);
    return wants_websocket(HttpRequest::parse(head).value());
  };
  for (const char* upgrade : {"websocket", "WebSocket", "h2c, websocket", "foo/1,  websocket ,x"}) {
    CAPTURE(upgrade);
    CHECK(wants(upgrade));
  }
  for (const char* upgrade : {"", "h2c", "websockets", "websocket/13", "web socket", "foo"}) {
    CAPTURE(upgrade);
    CHECK_FALSE(wants(upgrade));
  }
}

TEST_CASE("Each fault of a handshake has its own answer") {
  const auto bad = RefusalReason::bad_request;
  for (const char* connection : {"", "keep-alive", "upgraded", "up, grade"})
    CHECK(refusal_status(head_with("Connection", connection), bad) == 400);
  for (const char* connection : {"upgrade", "Upgrade", "close , UPGRADE", "keep-alive,Upgrade,x"})
    CHECK(refusal_status(head_with("Connection", connection), bad) == 0);
  for (const char* version : {"", "8", "14", "13, 8", "13\r\nSec-WebSocket-Version: 13"})
    CHECK(refusal_status(head_with("Sec-WebSocket-Version", version), bad) == 426);
  for (const char* key :
       {"", "c2hvcnQ=", "dGhlIHNhbXBsZSBub25jZQ===", "dGhlIHNhbXBsZSBub25jZ===",
        "dGhlIHNhbXBsZSBub25j,Q==",
        "dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="})
    CHECK(refusal_status(head_with("Sec-WebSocket-Key", key), bad) == 400);
  CHECK(refusal_status(head_with("Sec-WebSocket-Protocol", "graphql-ws"), bad) == 400);
  CHECK(refusal_status(head_with("Origin", "http://example.org\r\nOrigin: http://evil.org"), bad) ==
        400);
}

TEST_CASE("An upgrade has no body") {
  for (const char* body :
       {"Content-Length: 5", "Transfer-Encoding: chunked", "Content-Length: x"}) {
    const std::string connection = std::string("Upgrade\r\n") + body;
    CHECK(refusal_status(head_with("Connection", connection), RefusalReason::bad_request) == 400);
  }
  CHECK(refusal_status(head_with("Connection", "Upgrade\r\nContent-Length: 0"),
                       RefusalReason::bad_request) == 0);
}

TEST_CASE("An upgrade needs GET and HTTP/1.1") {
  const std::string head = head_with();
  const std::string fields = head.substr(head.find('\r'));
  CHECK(refusal_status("POST /ws/sync HTTP/1.1" + fields, RefusalReason::method) == 405);
  CHECK(refusal_status("HEAD /ws/sync HTTP/1.1" + fields, RefusalReason::not_an_upgrade) == 426);
  CHECK(refusal_status("GET /ws/sync HTTP/1.0" + fields, RefusalReason::bad_request) == 400);
}

TEST_CASE("The fixed refusals have their status and headers") {
  CHECK(not_found().response.status == 404);
  CHECK(method_not_allowed().response.status == 405);
  CHECK(method_not_allowed().response.extra_name == "allow");
  CHECK(not_an_upgrade().response.status == 426);
  for (const RefusalReason reason :
       {RefusalReason::max_clients, RefusalReason::max_clients_per_address,
        RefusalReason::stopping}) {
    CHECK(unavailable(reason).reason == reason);
    CHECK(unavailable(reason).response.status == 503);
    CHECK(unavailable(reason).response.extra_name == "retry-after");
  }
  CHECK(unavailable(RefusalReason::stopping).response.body !=
        unavailable(RefusalReason::max_clients).response.body);
}

using Texts = std::vector<std::string>;

// The channels that are asked for, with the position or a question mark for a useless one.
Texts shown(const ClientRequest& request) {
  Texts texts;
  for (const SubscribeMessage& wish : request.subscriptions) {
    std::string& text = texts.emplace_back('(' + wish.channel + ')');
    if (wish.after) text += ' ' + wish.after->epoch + ' ' + std::to_string(wish.after->seq.value);
    if (wish.wants_resume && !wish.after) text += " ?";
    if (!wish.wants_resume && wish.after) text += " !";
  }
  return texts;
}
Texts shown(const Texts& arguments) {
  return shown(parse_client_request(arguments));
}

TEST_CASE("A bare URL asks for the default channel from its beginning") {
  const ClientRequest request = parse_client_request({});
  CHECK(shown(request) == Texts{"()"});
  CHECK_FALSE(request.heartbeat);
}

TEST_CASE("Epoch and seq together are a position to resume from") {
  CHECK(shown({"epoch=e0", "seq=41"}) == Texts{"() e0 41"});
  CHECK(shown({"seq=0", "x=y", "epoch=e0"}) == Texts{"() e0 0"});
  CHECK(shown({"epoch=e0", "seq=18446744073709551614"}) == Texts{"() e0 18446744073709551614"});
}

TEST_CASE("A malformed position is a wish to resume that cannot be met") {
  for (const std::vector<std::string>& arguments :
       std::vector<std::vector<std::string>>{{"epoch=", "seq=41"},
                                             {"epoch=e0"},
                                             {"seq=41"},
                                             {"epoch=e0", "seq="},
                                             {"epoch=e0", "seq=-1"},
                                             {"epoch=e0", "seq=1x"},
                                             {"epoch=e0", "seq=1.0"},
                                             {"epoch=e0", "seq=+1"},
                                             {"epoch=e0", "seq= 1"},
                                             {"epoch=e0", "seq=18446744073709551615"},
                                             {"epoch=e0", "seq=99999999999999999999"}}) {
    CAPTURE(arguments.back());
    CHECK(shown(arguments) == Texts{"() ?"});
  }
}

TEST_CASE("Empty arguments are as if absent") {
  const auto request =
      parse_client_request(arguments_of("epoch=&token=&&epoch=e0&seq=&seq=%341&heartbeat=&x"));
  CHECK(shown(request) == Texts{"() e0 41"});
  CHECK_FALSE(request.heartbeat);
  CHECK(shown({"epoch=", "seq="}) == Texts{"()"});
}

TEST_CASE("Other names that begin alike are other names") {
  const ClientRequest request =
      parse_client_request({"epochs=e0", "seqs=1", "seq", "epoch", "heartbeats=3", "channels=a"});
  CHECK(shown(request) == Texts{"()"});
  CHECK_FALSE(request.heartbeat);
}

TEST_CASE("Channels are asked for by name, each with its own position, in their order") {
  CHECK(shown(arguments_of("channel=room%3A42&channel=b,e1,7&channel=a")) ==
        Texts{"(room:42)", "(b) e1 7", "(a)"});
  CHECK(shown({"channel=b,e1"}) == Texts{"(b) ?"});
  CHECK(shown({"channel=b,e1,x"}) == Texts{"(b) ?"});
  CHECK(shown({"channel=b,e1,7,8"}) == Texts{"(b) ?"});
  CHECK(shown({"channel=b,"}) == Texts{"(b) ?"});
  CHECK(shown({"channel=b", "epoch=e0", "seq=41"}) == Texts{"(b)"});
}

TEST_CASE("The default channel has the empty name, and epoch and seq are its position") {
  CHECK(shown({"channel="}) == Texts{"()"});
  CHECK(shown({"channel=", "channel=a", "epoch=e0", "seq=41"}) == Texts{"() e0 41", "(a)"});
  CHECK(shown({"channel=,e1,7", "epoch=e0", "seq=41"}) == Texts{"() e1 7"});
  CHECK(shown({"channel=,e1,7"}) == Texts{"() e1 7"});
}

TEST_CASE("A session is up to 64 bytes of printable ASCII") {
  CHECK(parse_client_request({"session=tab 1~!"}).session == "tab 1~!");
  CHECK(parse_client_request({"session=" + std::string(64, 's')}).session.size() == 64);
  CHECK(parse_client_request({"session=a", "session=b"}).session == "a");
  for (const std::string& argument :
       {std::string("session"), std::string("session="), std::string("sessions=a"),
        "session=" + std::string(65, 's'), std::string("session=\x7f"), std::string("session=\n"),
        std::string("session=\xc3\xa9")}) {
    CAPTURE(argument);
    CHECK(parse_client_request({argument}).session.empty());
  }
}

TEST_CASE("A heartbeat may be from one second to 300") {
  CHECK(parse_client_request({"heartbeat=1"}).heartbeat == seconds(1));
  CHECK(parse_client_request({"heartbeat=300"}).heartbeat == seconds(300));
  for (const char* argument : {"heartbeat=0", "heartbeat=301", "heartbeat=-1", "heartbeat=1.5",
                               "heartbeat=", "heartbeat=99999999999999999999"}) {
    CHECK_FALSE(parse_client_request({argument}).heartbeat);
  }
}

}  // namespace
}  // namespace syncrelay
