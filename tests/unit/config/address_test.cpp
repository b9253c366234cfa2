#include "syncrelay/config/address.h"

#include <doctest/doctest.h>

namespace syncrelay::config {
namespace {

TEST_CASE("HOST:PORT takes names, IPv4 and bracketed IPv6") {
  CHECK(parse_host_port("127.0.0.1:8643") == HostPort{"127.0.0.1", 8643});
  CHECK(parse_host_port("[::1]:0") == HostPort{"::1", 0});
  CHECK(parse_host_port("relay.internal:65535") == HostPort{"relay.internal", 65535});
}

TEST_CASE("What is no HOST:PORT is refused") {
  for (const char* text : {"", "8643", ":8643", "host", "host:", "host:x", "host:65536", "::1:80",
                           "[]:1", "[::1]", "a b:1", "host:-1", "http://a:1"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_host_port(text));
  }
}

TEST_CASE("A formatted HOST:PORT reads back as it was") {
  for (const HostPort& address : {HostPort{"::1", 1}, HostPort{"a", 0}, HostPort{"1.2.3.4", 9}}) {
    CHECK(parse_host_port(format_host_port(address)) == address);
  }
}

TEST_CASE("An ipc endpoint has a path of up to 107 bytes") {
  CHECK_FALSE(endpoint_problem("ipc:///run/syncrelay/commands.sock"));
  CHECK_FALSE(endpoint_problem("ipc://" + std::string(107, 'p')));
  const auto too_long = endpoint_problem("ipc://" + std::string(108, 'p'));
  REQUIRE(too_long);
  CHECK(*too_long == "has a path of 108 bytes; a socket's path ends at 107");
}

TEST_CASE("A tcp endpoint has an address and a port, which may be free to pick") {
  for (const char* text : {"tcp://127.0.0.1:5555", "tcp://[::1]:5555", "tcp://127.0.0.1:*",
                           "tcp://127.0.0.1:0", "tcp://*:5555", "tcp://eth0:5555"}) {
    CAPTURE(text);
    CHECK_FALSE(endpoint_problem(text));
  }
}

TEST_CASE("Other endpoints are refused") {
  for (const char* text :
       {"", "ipc://", "ipc://*", "ipc://@name", "ipc:///a\nb", "/run/x.sock", "inproc://x",
        "udp://127.0.0.1:1", "tcp://", "tcp://127.0.0.1", "tcp://127.0.0.1:", "tcp://:5555",
        "tcp://127.0.0.1:65536", "tcp://localhost:5555", "tcp://::1:5555", "tcp://a;b:1"}) {
    CAPTURE(text);
    CHECK(endpoint_problem(text));
  }
}

TEST_CASE("Only sockets in the file system and on a loopback address are out of reach for others") {
  for (const char* text :
       {"ipc:///a", "tcp://127.0.0.1:1", "tcp://127.255.0.9:*", "tcp://[::1]:1"}) {
    CAPTURE(text);
    CHECK_FALSE(is_remote_endpoint(text));
  }
  for (const char* text : {"tcp://0.0.0.0:1", "tcp://*:1", "tcp://[::]:1", "tcp://eth0:1",
                           "tcp://10.0.0.1:1", "tcp://128.0.0.1:1", "tcp://127.0.0.1.evil:1"}) {
    CAPTURE(text);
    CHECK(is_remote_endpoint(text));
  }
}

TEST_CASE("An origin is what browsers send, or a star") {
  for (const char* text : {"*", "null", "http://localhost:3000", "https://app.example.org",
                           "https://[::1]:8443", "chrome-extension://abcdef"}) {
    CAPTURE(text);
    CHECK_FALSE(origin_problem(text));
  }
}

TEST_CASE("An origin that no browser sends is refused, since it would never match") {
  for (const char* text : {"", "app.example.org", "https://a/", "https://a/path", "https://",
                           "HTTPS://a", "https://A", "https://a,https://b", "https://*.a"}) {
    CAPTURE(text);
    CHECK(origin_problem(text));
  }
}

}  // namespace
}  // namespace syncrelay::config
