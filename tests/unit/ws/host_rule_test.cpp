#include "syncrelay/ws/host_rule.h"

#include <doctest/doctest.h>

namespace syncrelay {
namespace {

using Verdict = HostRule::Verdict;

TEST_CASE("Addresses, localhost and the hosts of listed origins are known without being listed") {
  for (const HostRule& rule : {HostRule({}, {"https://app.example:444", "*", "null"}),
                               HostRule({"relay.example"}, {"https://app.example:444"})}) {
    for (const char* host : {"127.0.0.1", "127.0.0.1:8642", "10.1.2.3:80", "[::1]", "[::1]:8642",
                             "localhost", "LOCALHOST:8642", "app.example", "App.Example:1"}) {
      CAPTURE(host);
      CHECK(rule.judge(host) == Verdict::known);
    }
  }
}

TEST_CASE("Other names are accepted until names are listed") {
  const HostRule open({}, {});
  const HostRule closed({"relay.example"}, {});
  for (const char* host : {"evil.example", "evil.example:8642", "relay.example.evil", "127.0.0.1.x",
                           "[::1", "[x]", "1.2.3", "localhost.evil", "*", ""}) {
    CAPTURE(host);
    CHECK(open.judge(host) == Verdict::unlisted);
    CHECK(closed.judge(host) == Verdict::refused);
  }
  CHECK(closed.judge("Relay.Example:8642") == Verdict::known);
  CHECK(closed.judge("relay.example.") == Verdict::known);
}

TEST_CASE("It is told once") {
  HostRule rule({}, {});
  CHECK(rule.first_unlisted());
  CHECK_FALSE(rule.first_unlisted());
}

}  // namespace
}  // namespace syncrelay
