#include "syncrelay/ws/http_request.h"

#include <doctest/doctest.h>

#include <string>

namespace syncrelay {
namespace {

const std::string kEnd = "Host: x\r\n\r\n";

// The status that the head is refused with; 0 when it is not.
int fault(const std::string& head) {
  const auto request = HttpRequest::parse(head);
  if (request) return 0;
  CHECK_FALSE(request.error().detail.empty());
  return request.error().status;
}

TEST_CASE("A request is read into its parts") {
  const std::string head =
      "GET /ws/sync?epoch=e0&seq=1?x HTTP/1.1\r\nHost:\t relay.example:8642 \r\nX-A: "
      "1\r\nx-a:2\r\n\r\n";
  const auto parsed = HttpRequest::parse(head);
  REQUIRE(parsed);
  const HttpRequest& request = parsed.value();
  CHECK(request.method() == "GET");
  CHECK(request.path() == "/ws/sync");
  CHECK(request.query() == "epoch=e0&seq=1?x");
  CHECK(request.host() == "relay.example:8642");
  CHECK_FALSE(request.http_1_0());
  CHECK(request.count("x-a") == 2);
  CHECK(request.count("absent") == 0);
  CHECK(request.field("absent").empty());
  CHECK(request.lists("x-a", "2"));
}

TEST_CASE("Lines may end with a bare LF") {
  CHECK(fault("GET / HTTP/1.1\nHost: x\n\n") == 0);
}

TEST_CASE("The authority of a whole URL counts instead of the Host header") {
  const std::string head = "GET http://a.example:1/health?x HTTP/1.1\r\nHost: b.example\r\n\r\n";
  const auto request = HttpRequest::parse(head);
  REQUIRE(request);
  CHECK(request.value().host() == "a.example:1");
  CHECK(request.value().path() == "/health");
  CHECK(request.value().query() == "x");
  CHECK(fault("GET http:///health HTTP/1.1\r\n" + kEnd) == 400);
  CHECK(fault("GET ftp://a/health HTTP/1.1\r\n" + kEnd) == 400);
}

TEST_CASE("Host is there exactly once, but for HTTP/1.0") {
  CHECK(fault("GET / HTTP/1.1\r\n\r\n") == 400);
  CHECK(fault("GET / HTTP/1.1\r\nHost: a\r\nhost: a\r\n\r\n") == 400);
  CHECK(fault("GET / HTTP/1.0\r\n\r\n") == 0);
  CHECK(fault("GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n") == 400);
  CHECK(fault("GET / HTTP/1.1\r\nHost:\r\n\r\n") == 0);
  for (const char* host : {"a b", "a,b/c", "a@b", "http://a", "a?b", "\"a\"", "[::1", "[::1]x",
                           "a:x", "a:-1", "a:80:80", ":80", "a:123456"}) {
    CAPTURE(host);
    CHECK(fault("GET / HTTP/1.1\r\nHost: " + std::string(host) + "\r\n\r\n") == 400);
  }
}

TEST_CASE("What is no HTTP/1 request is refused") {
  for (const char* line : {"GET", "GET /", "GET  / HTTP/1.1", "GET /  HTTP/1.1", " GET / HTTP/1.1",
                           "GET / HTTP/1.1 ", "GET / http/1.1", "GET / HTTP/1", "GET / HTTP/11",
                           "GET / HTTP/1.x", "G(T / HTTP/1.1", "GET /\x7f HTTP/1.1",
                           "GET /\xc3\xa9 HTTP/1.1", "GET /a b HTTP/1.1", "GET\t/\tHTTP/1.1", ""}) {
    CAPTURE(line);
    CHECK(fault(line + ("\r\n" + kEnd)) == 400);
  }
  CHECK(fault("GET / HTTP/9.9\r\n" + kEnd) == 505);
  CHECK(fault("PRI * HTTP/2.0\r\n\r\n") == 505);
}

TEST_CASE("Fields are checked") {
  const std::string begin = "GET / HTTP/1.1\r\nHost: x\r\n";
  for (const char* field : {"no colon", ": x", "a b: c", "a : b", " a: b", "\ta: b", "a(: b",
                            "a: \x01", "a: b\rc: d", "a: \x7f"}) {
    CAPTURE(field);
    CHECK(fault(begin + field + "\r\n\r\n") == 400);
  }
  CHECK(fault(begin + std::string("a: \0b", 5) + "\r\n\r\n") == 400);
  for (const char* field : {"a:b", "a:", "a: b\tc ", "a: \xff", "!#$%&'*+-.^_`|~09: x"}) {
    CAPTURE(field);
    CHECK(fault(begin + field + "\r\n\r\n") == 0);
  }
  std::string many = begin;
  for (std::size_t count = 1; count < kMaxFields; ++count) many += "a: b\r\n";
  CHECK(fault(many + "\r\n") == 0);
  CHECK(fault(many + "a: b\r\n\r\n") == 431);
}

TEST_CASE("The end of the head is found however it is cut") {
  for (const std::string& head : {std::string("GET / HTTP/1.1\r\nHost: x\r\n\r\n"),
                                  std::string("GET / HTTP/1.1\nHost: x\n\n"),
                                  std::string("GET / HTTP/1.1\r\nHost: x\n\r\n")}) {
    const std::string bytes = head + "behind\r\n\r\n";
    for (std::size_t cut = 0; cut < head.size(); ++cut) {
      CHECK(head_end(std::string_view(bytes).substr(0, cut), 0) == 0);
      CHECK(head_end(bytes, cut) == head.size());
    }
  }
  CHECK(head_end("\n\r", 0) == 0);
}

TEST_CASE("The first byte tells what can never be a request") {
  for (const char* begin : {"GET", "", "x", "!"}) CHECK(may_be_request(begin));
  for (const std::string& begin : {std::string("\x16\x03\x01"), std::string(1, '\0'),
                                   std::string(" GET"), std::string("\x80")})
    CHECK_FALSE(may_be_request(begin));
}

TEST_CASE("Arguments are percent-decoded, and empty ones are left out") {
  CHECK(arguments_of("").empty());
  CHECK(arguments_of("&&").empty());
  CHECK(arguments_of("a=1&b=&c&&d=%41%2B+%zz%4") ==
        std::vector<std::string>{"a=1", "b=", "c", "d=A++%zz%4"});
}

}  // namespace
}  // namespace syncrelay
