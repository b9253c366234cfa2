#include "syncrelay/base/ip_address.h"

#include <doctest/doctest.h>

namespace syncrelay {
namespace {

bool contains(std::string_view network, std::string_view address) {
  const auto parsed = IpNetwork::parse(network);
  REQUIRE_MESSAGE(parsed.ok(), network);
  return parsed.value().contains(IpAddress::parse(address).value());
}

std::string problem(std::string_view network) {
  const auto parsed = IpNetwork::parse(network);
  return parsed ? "" : parsed.error();
}

TEST_CASE("An address is read and written in its one form") {
  CHECK(IpAddress::parse("192.0.2.1")->text() == "192.0.2.1");
  CHECK(IpAddress::parse("::ffff:192.0.2.1")->text() == "192.0.2.1");
  CHECK(IpAddress::parse("2001:DB8:0:0::1")->text() == "2001:db8::1");
  CHECK(IpAddress::parse("::ffff:c000:201") == IpAddress::parse("192.0.2.1"));
  CHECK(IpAddress::parse("::1") != IpAddress::parse("0.0.0.1"));
}

TEST_CASE("What is no address is none") {
  using namespace std::string_view_literals;
  for (const std::string_view text :
       {""sv, "192.0.2"sv, "192.0.2.256"sv, "192.0.2.01x"sv, "localhost"sv, "[::1]"sv,
        "fe80::1%eth0"sv, " 192.0.2.1"sv, "192.0.2.1\0"sv, "::1\0x"sv, "1.2.3.4/32"sv,
        "0000:0000:0000:0000:0000:0000:0000:0000:0000:0000"sv}) {
    CHECK_MESSAGE(!IpAddress::parse(text), text);
  }
}

TEST_CASE("A network holds what begins with its bits, of its own kind") {
  CHECK(contains("10.0.0.0/8", "10.255.0.1"));
  CHECK(!contains("10.0.0.0/8", "11.0.0.0"));
  CHECK(contains("10.0.0.0/8", "::ffff:10.1.2.3"));
  CHECK(contains("::ffff:10.0.0.0/104", "10.1.2.3"));
  CHECK(contains("192.0.2.128/25", "192.0.2.129"));
  CHECK(!contains("192.0.2.128/25", "192.0.2.127"));
  CHECK(contains("192.0.2.1", "192.0.2.1"));
  CHECK(!contains("192.0.2.1", "192.0.2.2"));
  CHECK(contains("2001:db8::/32", "2001:db8:ffff::1"));
  CHECK(!contains("2001:db8::/33", "2001:db8:ffff::1"));
  CHECK(contains("0.0.0.0/0", "203.0.113.9"));
  CHECK(!contains("0.0.0.0/0", "2001:db8::1"));
  CHECK(contains("::/0", "2001:db8::1"));
  CHECK(!contains("::/0", "203.0.113.9"));
}

TEST_CASE("What is no network says what is wrong") {
  CHECK(problem("10.0.0.0/8").empty());
  CHECK(problem("proxy").starts_with("is neither an IP address nor a network"));
  CHECK(problem("10.0.0.0/33") == "has no prefix of 0 to 32 bits behind the slash");
  CHECK(problem("10.0.0.0/") == "has no prefix of 0 to 32 bits behind the slash");
  CHECK(problem("10.0.0.0/-1") == "has no prefix of 0 to 32 bits behind the slash");
  CHECK(problem("10.0.0.0/8x") == "has no prefix of 0 to 32 bits behind the slash");
  CHECK(problem("::1/129") == "has no prefix of 0 to 128 bits behind the slash");
  CHECK(problem("::ffff:10.0.0.0/8") == "has no prefix of 96 to 128 bits behind the slash");
  CHECK(problem("10.1.2.3/8") == "has bits set behind its prefix: write 10.0.0.0/8");
  CHECK(problem("2001:db8::1/64") == "has bits set behind its prefix: write 2001:db8::/64");
  CHECK(problem("::ffff:10.1.2.3/104") == "has bits set behind its prefix: write 10.0.0.0/8");
}

}  // namespace
}  // namespace syncrelay
