#include "syncrelay/ws/proxy_rule.h"

#include <doctest/doctest.h>

namespace syncrelay {
namespace {

const std::vector<std::string> kTrusted = {"10.0.0.0/8", "127.0.0.1", "2001:db8:1::/48"};

// Whose request it is that came from `peer`; or the doubt.
std::string client(const std::string& fields, const std::string& peer = "10.0.0.1",
                   const std::vector<std::string>& trusted = kTrusted) {
  const std::string head = "GET / HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n";
  const auto request = HttpRequest::parse(head);
  REQUIRE(request.ok());
  const auto found = ProxyRule(trusted).client_of(request.value(), peer);
  if (found) return found.value();
  return found.error() == ProxyRule::Doubt::unusable ? "unusable" : "contradiction";
}

std::string listed(const std::string& list) {
  return "X-Forwarded-For: " + list + "\r\n";
}

std::string forwarded(const std::string& list) {
  return "Forwarded: " + list + "\r\n";
}

TEST_CASE("From nobody but a trusted proxy these headers mean anything") {
  const std::string both = listed("203.0.113.7") + forwarded("for=203.0.113.8");
  CHECK(client(both, "192.0.2.1") == "192.0.2.1");
  CHECK(client(both, "10.0.0.1", {}) == "10.0.0.1");
  CHECK(client(both, "unknown") == "unknown");
  CHECK(client(listed("203.0.113.7"), "::ffff:10.0.0.1") == "203.0.113.7");
  CHECK(client(listed("203.0.113.7"), "2001:db8:1::5") == "203.0.113.7");
  CHECK(client(listed("203.0.113.7"), "2001:db8:2::5") == "2001:db8:2::5");
}

TEST_CASE("The client is the first address from the end that is not trusted") {
  CHECK(client("") == "10.0.0.1");
  CHECK(client(listed("")) == "10.0.0.1");
  CHECK(client(listed("203.0.113.7")) == "203.0.113.7");
  CHECK(client(listed("198.51.100.1, 203.0.113.7")) == "203.0.113.7");
  CHECK(client(listed("198.51.100.1, 203.0.113.7,10.2.3.4 , 127.0.0.1")) == "203.0.113.7");
  CHECK(client(listed("198.51.100.1") + listed("203.0.113.7") + listed("10.2.3.4")) ==
        "203.0.113.7");
  CHECK(client(listed("10.9.9.9, 10.2.3.4")) == "10.9.9.9");
  CHECK(client(listed("nonsense, 203.0.113.7")) == "203.0.113.7");
  CHECK(client(listed("[2001:db8:5::1]:443, 10.2.3.4:5")) == "2001:db8:5::1");
  CHECK(client(listed("::ffff:203.0.113.7")) == "203.0.113.7");
  CHECK(client(forwarded("for=198.51.100.1, for=203.0.113.7, For=10.2.3.4")) == "203.0.113.7");
  CHECK(client(forwarded("for=198.51.100.1;x=\"") + forwarded("for=203.0.113.7")) == "203.0.113.7");
  CHECK(client(forwarded(R"(for="[2001:db8:5::1]:443";proto=https)")) == "2001:db8:5::1");
  CHECK(client(forwarded("for=198.51.100.1;x=\", for=203.0.113.7, for=10.2.3.4")) == "203.0.113.7");
}

TEST_CASE("What names no address where one is looked for is unusable") {
  for (const char* list : {"nonsense", "203.0.113.7, nonsense", "203.0.113.7, , 10.0.0.2",
                           "unknown", "203.0.113.7,;10.0.0.2", "203.0.113.7 10.0.0.2"}) {
    CHECK_MESSAGE(client(listed(list)) == "unusable", list);
  }
  for (const char* list : {"for=unknown", "for=_x", "for=203.0.113.7, by=10.0.0.2", "203.0.113.7",
                           "for=\"", "for=203.0.113.7;x=\", for=10.2.3.4"}) {
    CHECK_MESSAGE(client(forwarded(list)) == "unusable", list);
  }
}

TEST_CASE("A Forwarded that names nobody does not count") {
  for (const char* list : {"", " ", "proto=https", "by=10.0.0.2;proto=https, host=a"}) {
    CHECK_MESSAGE(client(listed("203.0.113.7") + forwarded(list)) == "203.0.113.7", list);
    CHECK(client(forwarded(list)) == "10.0.0.1");
  }
}

TEST_CASE("Both headers have to agree") {
  CHECK(client(listed("203.0.113.7") + forwarded("for=203.0.113.7")) == "203.0.113.7");
  CHECK(client(listed("203.0.113.7") + forwarded("for=\"203.0.113.7:80\", for=10.2.3.4")) ==
        "203.0.113.7");
  CHECK(client(listed("203.0.113.7") + forwarded("for=203.0.113.8")) == "contradiction");
  CHECK(client(listed("203.0.113.7") + forwarded("for=unknown")) == "contradiction");
  CHECK(client(listed("nonsense") + forwarded("for=203.0.113.8")) == "contradiction");
  CHECK(client(listed("nonsense") + forwarded("nonsense")) == "unusable");
}

}  // namespace
}  // namespace syncrelay
