#include "syncrelay/ws/origin_rule.h"

#include <doctest/doctest.h>

#include "syncrelay/protocol/control_frame.h"
#include "syncrelay/ws/host_rule.h"

namespace syncrelay {
namespace {

TEST_CASE("A native client without an origin may connect") {
  CHECK(OriginRule({}).allows("", "example.org"));
  CHECK(OriginRule({}).allows("", ""));
}

TEST_CASE("A page on the same host may connect, whatever the ports and the case") {
  for (const char* origin : {"http://example.org", "https://example.org", "http://example.org:3000",
                             "https://EXAMPLE.org:8642"}) {
    CHECK(OriginRule({}).allows(origin, "example.org:8642"));
    CHECK(OriginRule({}).allows(origin, "Example.Org"));
  }
  CHECK(OriginRule({}).allows("http://127.0.0.1:5173", "127.0.0.1:8642"));
  CHECK(OriginRule({}).allows("http://[::1]:5173", "[::1]:8642"));
  CHECK(OriginRule({}).allows("http://[::1]", "[::1]"));
}

TEST_CASE("A page on another host may not") {
  for (const char* origin :
       {"http://evil.org", "http://example.org.evil.org", "http://evil-example.org",
        "http://sub.example.org", "http://example.or", "http://", "null", "example.org", "file://",
        "http://:8642", "://", "http://[::1", "http://example.org:80@evil",
        "http://example.org:x"}) {
    CAPTURE(origin);
    CHECK_FALSE(OriginRule({}).allows(origin, "example.org:8642"));
  }
  CHECK_FALSE(OriginRule({}).allows("http://[::1]", "[::2]"));
  CHECK_FALSE(OriginRule({}).allows("http://[::1]", "::1"));
  CHECK_FALSE(OriginRule({}).allows("http://", ""));
  CHECK_FALSE(OriginRule({}).allows("null", ""));
}

TEST_CASE("A listed origin may connect, and * lists all") {
  const std::vector<std::string> listed = {"https://app.example.com", "http://other:3000"};
  CHECK(OriginRule(listed).allows("https://app.example.com", "relay"));
  CHECK(OriginRule(listed).allows("HTTPS://APP.example.com", "relay"));
  CHECK(OriginRule(listed).allows("http://other:3000", "relay"));
  CHECK_FALSE(OriginRule(listed).allows("http://app.example.com", "relay"));
  CHECK_FALSE(OriginRule(listed).allows("http://other", "relay"));
  CHECK_FALSE(OriginRule(listed).allows("https://app.example.com.evil", "relay"));
  CHECK(OriginRule({"*"}).allows("http://evil.org", "relay"));
  CHECK(OriginRule({"*"}).allows("null", "relay"));
}

TEST_CASE("All loopback names are one host") {
  const char* const names[] = {"localhost", "LOCALHOST", "127.0.0.1",     "127.8.9.1",
                               "[::1]",     "localhost", "app.localhost", "a.b.LocalHost"};
  for (const std::string page : names) {
    for (const std::string host : names) {
      CAPTURE(page);
      CAPTURE(host);
      CHECK(OriginRule({}).allows("http://" + page + ":3000", host + ":8642"));
    }
    CHECK_FALSE(OriginRule({}).allows("http://" + page, "relay.example"));
    CHECK_FALSE(OriginRule({}).allows("http://relay.example", page));
  }
  for (const char* other : {"notlocalhost", "localhost.evil", "127.0.0.1.evil", "128.0.0.1",
                            "127.1", "[::2]", "10.0.0.1", "0.0.0.0", "localhost.."}) {
    CAPTURE(other);
    CHECK_FALSE(OriginRule({}).allows("http://" + std::string(other), "localhost:8642"));
  }
}

TEST_CASE("What is no origin stands for no host") {
  for (const char* odd :
       {"http://evil.com/.localhost", "http://evil.com#.localhost", "http://evil.com?.localhost",
        "http://evil.com\\.localhost", "://localhost", "https://localhost:99999999999",
        "http://localhost:", "http://u@localhost", "ht tp://localhost", "http://local host",
        "http://localhost/", "http://[::1", "http://[localhost]"}) {
    CAPTURE(odd);
    CHECK_FALSE(OriginRule({}).allows(odd, "localhost"));
  }
}

TEST_CASE("A dot at the end of a name makes it no other one") {
  CHECK(OriginRule({}).allows("http://localhost.", "127.0.0.1"));
  CHECK(OriginRule({}).allows("http://relay.example.", "relay.example"));
  CHECK(OriginRule({}).allows("http://relay.example", "relay.example.:8642"));
}

TEST_CASE("Advice names only what an operator can safely type") {
  CHECK(origin_option("https://app.example:444") == "--allow-origin https://app.example:444");
  CHECK(origin_option("null") == "--allow-origin null");
  CHECK(origin_option("file://") == "--allow-origin file://");
  for (const char* odd :
       {"http://$(id).evil.com", "http://a`id`.evil.com", "http://a;b", "x", ""}) {
    CAPTURE(odd);
    CHECK(origin_option(odd) == "--allow-origin");
    CHECK(origin_refusal(odd).find("$(id)") == std::string::npos);
  }
  CHECK(host_option("relay.example:8642") == "--allow-host relay.example");
  CHECK(host_option("$(id)") == "--allow-host");
}

TEST_CASE("A default port in the list is as if absent, as browsers write origins") {
  const OriginRule rule({"http://a.example:80", "HTTPS://b.example:443", "http://c.example:443"});
  CHECK(rule.allows("http://a.example", "relay"));
  CHECK(rule.allows("http://a.example:80", "relay"));
  CHECK(rule.allows("https://b.example", "relay"));
  CHECK(rule.allows("http://c.example:443", "relay"));
  CHECK_FALSE(rule.allows("http://c.example", "relay"));
  CHECK_FALSE(rule.allows("https://a.example", "relay"));
  CHECK_FALSE(rule.allows("http://b.example", "relay"));
}

TEST_CASE("A page of no host may connect only where null is listed") {
  CHECK_FALSE(OriginRule({}).allows("null", "localhost:8642"));
  CHECK(OriginRule({"null"}).allows("null", "localhost:8642"));
}

TEST_CASE("A refusal names the option, and fits into a close frame") {
  CHECK(origin_refusal("null") == "origin_not_allowed: start the relay with --allow-origin null");
  for (const std::string& odd : {std::string(200, 'x'), std::string("http://a b"),
                                 std::string("http://\xff"), std::string("http://\xc3\xbc")}) {
    CHECK(origin_refusal(odd) == "origin_not_allowed: see --allow-origin of the relay");
  }
  for (std::size_t length = 0; length < 200; ++length)
    CHECK(origin_refusal(std::string(length, 'x')).size() <= kMaxCloseReason);
}

}  // namespace
}  // namespace syncrelay
