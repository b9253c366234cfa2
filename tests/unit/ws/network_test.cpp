#include "syncrelay/ws/network.h"

#include <doctest/doctest.h>

namespace syncrelay {
namespace {

TEST_CASE("An IPv4 address is a network of its own") {
  CHECK(network_of("192.0.2.1") == "192.0.2.1");
  CHECK(network_of("::ffff:192.0.2.1") == "192.0.2.1");
  CHECK(network_of("unknown") == "unknown");
}

TEST_CASE("All addresses of an IPv6 host's /64 are one network") {
  CHECK(network_of("2001:db8:1:2:3:4:5:6") == "2001:db8:1:2::/64");
  CHECK(network_of("2001:db8:1:2::1") == network_of("2001:db8:1:2:ffff::"));
  CHECK(network_of("2001:db8:1:3::1") != network_of("2001:db8:1:2::1"));
}

}  // namespace
}  // namespace syncrelay
