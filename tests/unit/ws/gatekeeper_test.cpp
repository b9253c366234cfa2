#include "syncrelay/ws/gatekeeper.h"

#include <doctest/doctest.h>

#include "support/fake_clock.h"
#include "support/token_maker.h"

namespace syncrelay {
namespace {

using testing::FakeClock;

const std::string kUpgrade =
    "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: "
    "dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n";

struct GateBench {
  explicit GateBench(const TokenSettings* tokens = nullptr, ConnectRate* rate = nullptr)
      : gate({admission, hosts, origins, proxies, tokens, rate}, stats, status, log) {}

  FakeClock clock;
  RelayStats relay;
  ShardStats stats;
  Admission admission{{1, 0}};
  HostRule hosts{{"relay.example"}, {}};
  Log log{{LogLevel::error, LogFormat::text}};
  Status status{"1.2.3", "00c0ffee00c0ffee", clock.now(), clock, log, relay, {&stats}, {}, {}};
  OriginRule origins{{}};
  ProxyRule proxies{{"127.0.0.1"}};
  Gatekeeper gate;

  Gatekeeper::Decision decide(const std::string& line, const std::string& fields = {}) {
    return gate.decide(line + " HTTP/1.1\r\nHost: localhost\r\n" + fields + "\r\n", "127.0.0.1");
  }

  // The first line of the answer to a request that is not let in.
  std::string answer(const std::string& line, const std::string& fields = {}) {
    const Gatekeeper::Decision decision = decide(line, fields);
    const auto* reply = std::get_if<Gatekeeper::Reply>(&decision);
    REQUIRE(reply != nullptr);
    CHECK(reply->answer.find("close\r\n") != std::string::npos);
    CHECK(reply->answer.find("\r\ndate: ") != std::string::npos);
    return reply->answer.substr(0, reply->answer.find('\r'));
  }
};

TEST_CASE("While the relay catches up there are pages, and nobody is let in") {
  GateBench bench;
  bench.status.catching_up = true;
  const std::string unavailable = "HTTP/1.1 503 Service Unavailable";
  CHECK(bench.answer("GET /ws/sync", kUpgrade) == unavailable);
  CHECK(bench.answer("GET /ws/sync") == unavailable);
  CHECK(bench.answer("GET /nowhere") == unavailable);
  CHECK(counter(bench.stats.refused, RefusalReason::catching_up).get() == 3);
  const auto refused = bench.decide("GET /ws/sync", kUpgrade);
  CHECK(std::get<Gatekeeper::Reply>(refused).answer.find("\r\nretry-after: 1\r\n") !=
        std::string::npos);
  const auto health = bench.decide("GET /health");
  CHECK(std::get<Gatekeeper::Reply>(health).answer.find("catching_up") != std::string::npos);
  CHECK(bench.admission.clients() == 0);
}

TEST_CASE("A client is let in with the answer of RFC 6455 and a seat of its own") {
  GateBench bench;
  const Gatekeeper::Decision decision = bench.decide("GET /ws/sync?heartbeat=3", kUpgrade);
  const auto* welcome = std::get_if<Gatekeeper::Welcome>(&decision);
  REQUIRE(welcome != nullptr);
  CHECK(welcome->answer.starts_with("HTTP/1.1 101 Switching Protocols\r\n"));
  CHECK(welcome->answer.find("sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n") !=
        std::string::npos);
  CHECK(welcome->request.heartbeat == std::chrono::seconds(3));
  CHECK(bench.admission.clients() == 1);
  CHECK(bench.answer("GET /ws/sync", kUpgrade) == "HTTP/1.1 503 Service Unavailable");
}

TEST_CASE("A page that may not connect is told so behind the handshake, and takes no seat") {
  GateBench bench;
  const Gatekeeper::Decision decision =
      bench.decide("GET /ws/sync", kUpgrade + "Origin: http://evil.example\r\n");
  const auto* reply = std::get_if<Gatekeeper::Reply>(&decision);
  REQUIRE(reply != nullptr);
  const std::string frame = reply->answer.substr(reply->answer.find("\r\n\r\n") + 4);
  CHECK(reply->answer.starts_with("HTTP/1.1 101 "));
  CHECK(frame.substr(0, 4) == "\x88\x4d\x11\x33");  // close, 77 bytes, 4403
  CHECK(frame.ends_with("--allow-origin http://evil.example"));
  CHECK(bench.admission.clients() == 0);
  CHECK(counter(bench.stats.refused, RefusalReason::origin).get() == 1);
}

TEST_CASE("Who asks for tokens lets in nobody without, tells why, and keeps the seat") {
  const TokenMaker maker(SigningAlgorithm::hs256);
  const TokenSettings tokens{KeyRing(KeySet::of_key_file(maker.key_file()).value()), {}, false, {}};
  GateBench bench(&tokens);
  const auto close_of = [&](const std::string& fields, const std::string& path = "/ws/sync") {
    const Gatekeeper::Decision decision = bench.decide("GET " + path, kUpgrade + fields);
    const auto* reply = std::get_if<Gatekeeper::Reply>(&decision);
    return reply == nullptr ? "let in" : reply->answer.substr(reply->answer.find("\r\n\r\n") + 8);
  };
  const std::string ending = R"({"exp":1763838100)";
  CHECK(close_of("") == "token_missing");
  CHECK(close_of("Authorization: Bearer a.b.c\r\n") == "token_invalid");
  CHECK(close_of("Authorization: Bearer " + maker.token(R"({"exp":1})") + "\r\n") ==
        "token_expired");
  CHECK(close_of("Authorization: Bearer " + maker.token(ending + R"(,"channels":["a"]})") +
                 "\r\n") == "forbidden");
  CHECK(counter(bench.stats.refused, RefusalReason::token).get() == 3);
  CHECK(bench.admission.clients() == 0);
  CHECK(close_of("Authorization: Bearer " + maker.token(ending + R"(,"channels":["a"]})") + "\r\n",
                 "/ws/sync?channel=a") == "let in");
  CHECK(close_of("Sec-WebSocket-Protocol: syncrelay, token." + maker.token(ending + "}") +
                 "\r\n") == "let in");
}

TEST_CASE("A client is known by the address that its trusted proxy names") {
  GateBench bench;
  const auto address_of = [&](const std::string& fields) {
    const Gatekeeper::Decision decision = bench.decide("GET /ws/sync", kUpgrade + fields);
    const auto* welcome = std::get_if<Gatekeeper::Welcome>(&decision);
    return welcome == nullptr ? "refused" : welcome->address;
  };
  CHECK(address_of("") == "127.0.0.1");
  CHECK(address_of("X-Forwarded-For: 203.0.113.7\r\n") == "203.0.113.7");
  CHECK(bench.stats.proxy_headers_unusable.get() == 0);
  CHECK(address_of("X-Forwarded-For: nonsense\r\n") == "127.0.0.1");
  CHECK(address_of("X-Forwarded-For: 203.0.113.7\r\nForwarded: for=203.0.113.8\r\n") == "refused");
  CHECK(bench.stats.proxy_headers_unusable.get() == 2);
  CHECK(bench.gate.crowd_of("127.0.0.1").empty());
  CHECK(bench.gate.crowd_of("2001:db8::1") == "2001:db8::/64");
}

TEST_CASE("An address that comes too often is told to wait, whatever else is wrong with it") {
  ConnectRate rate(1);
  GateBench bench(nullptr, &rate);
  for (int turn = 0; turn < 10; ++turn) bench.decide("GET /ws/sync", kUpgrade);
  const auto reply = std::get<Gatekeeper::Reply>(bench.decide("GET /ws/sync", kUpgrade)).answer;
  CHECK(reply.starts_with("HTTP/1.1 429 Too Many Requests\r\n"));
  CHECK(reply.find("\r\nretry-after: 1\r\n") != std::string::npos);
  CHECK(counter(bench.stats.refused, RefusalReason::connect_rate).get() == 1);
  CHECK(bench.answer("GET /health") == "HTTP/1.1 200 OK");
  const std::string elsewhere = kUpgrade + "X-Forwarded-For: 203.0.113.7\r\n";
  CHECK(std::holds_alternative<Gatekeeper::Welcome>(bench.decide("GET /ws/sync", elsewhere)));
}

TEST_CASE("A decision that nobody acts on gives its seat back") {
  GateBench bench;
  { const Gatekeeper::Decision decision = bench.decide("GET /ws/sync", kUpgrade); }
  CHECK(bench.admission.clients() == 0);
}

TEST_CASE("Offers of other protocols are as if absent") {
  GateBench bench;
  const std::string h2c =
      "Upgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAMAAABk\r\n";
  CHECK(bench.answer("GET /health", h2c) == "HTTP/1.1 200 OK");
  CHECK(bench.answer("GET /ws/sync", h2c) == "HTTP/1.1 426 Upgrade Required");
  CHECK(bench.answer("GET /ws/sync", "Upgrade: foo\r\n") == "HTTP/1.1 426 Upgrade Required");
  CHECK(bench.answer("GET /health", kUpgrade) == "HTTP/1.1 200 OK");
  CHECK(bench.admission.clients() == 0);
}

TEST_CASE("Every 426 names what to upgrade to") {
  GateBench bench;
  const std::string old =
      "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 8\r\n";
  for (const std::string& fields : {std::string(), old}) {
    const auto reply = std::get<Gatekeeper::Reply>(bench.decide("GET /ws/sync", fields)).answer;
    CHECK(reply.starts_with("HTTP/1.1 426 "));
    CHECK(reply.find("\r\nupgrade: websocket\r\nconnection: upgrade, close\r\n") !=
          std::string::npos);
  }
}

TEST_CASE("A date is in English and in Greenwich") {
  const std::string answer = serialize({}, WallTime{784'111'777'000'000}, true);
  CHECK(answer.find("\r\ndate: Sun, 06 Nov 1994 08:49:37 GMT\r\n") != std::string::npos);
}

TEST_CASE("Clients have no page but that of health") {
  GateBench bench;
  CHECK(bench.answer("GET /health") == "HTTP/1.1 200 OK");
  CHECK(bench.answer("GET /metrics") == "HTTP/1.1 404 Not Found");
  CHECK(bench.answer("POST /health") == "HTTP/1.1 405 Method Not Allowed");
  CHECK(bench.answer("POST /ws/sync") == "HTTP/1.1 405 Method Not Allowed");
}

TEST_CASE("HEAD has the headers of GET and no body") {
  GateBench bench;
  const auto get = std::get<Gatekeeper::Reply>(bench.decide("GET /health")).answer;
  const auto head = std::get<Gatekeeper::Reply>(bench.decide("HEAD /health")).answer;
  CHECK(head == get.substr(0, get.find("\r\n\r\n") + 4));
}

TEST_CASE("A name that is not listed is refused for every page") {
  GateBench bench;
  for (const char* line : {"GET http://evil.example/health", "GET http://evil.example/metrics",
                           "GET http://evil.example:8642/ws/sync"}) {
    CHECK(bench.answer(line, kUpgrade) == "HTTP/1.1 421 Misdirected Request");
  }
  CHECK(bench.answer("GET http://relay.example/health") == "HTTP/1.1 200 OK");
  CHECK(counter(bench.stats.refused, RefusalReason::host).get() == 3);
}

TEST_CASE("A stopping relay lets nobody in and still tells its health") {
  GateBench bench;
  bench.status.stopping = true;
  CHECK(bench.answer("GET /ws/sync", kUpgrade) == "HTTP/1.1 503 Service Unavailable");
  CHECK(bench.answer("GET /health") == "HTTP/1.1 503 Service Unavailable");
}

}  // namespace
}  // namespace syncrelay
