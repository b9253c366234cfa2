#include "syncrelay/ws/forwarded.h"

#include <doctest/doctest.h>

namespace syncrelay {
namespace {

using Nodes = std::vector<std::string>;

TEST_CASE("Each element of a Forwarded field names one node") {
  CHECK(forwarded_nodes("for=192.0.2.43") == Nodes{"192.0.2.43"});
  CHECK(forwarded_nodes("for=192.0.2.43, for=198.51.100.17;by=203.0.113.60;proto=http") ==
        Nodes{"192.0.2.43", "198.51.100.17"});
  CHECK(forwarded_nodes(R"(For="[2001:db8:cafe::17]:4711")") == Nodes{"[2001:db8:cafe::17]:4711"});
  CHECK(forwarded_nodes(R"(proto="a,for=1;\"";FOR=_hidden ,by=x)") == Nodes{"_hidden", ""});
  CHECK(forwarded_nodes("for=1.2.3.4;;by=x;") == Nodes{"1.2.3.4"});
  CHECK(forwarded_nodes(R"(for="1\.2.3.4")") == Nodes{"1.2.3.4"});
}

TEST_CASE("A field that is no list of elements names somebody unknown") {
  for (const char* field : {"1.2.3.4", "for", "for=", "for=1.2.3.4 x", "for=\"1.2.3.4",
                            "for=\"1.2.3.4\\", "for=1.2.3.4;for=5.6.7.8", "for=1.2.3.4, for=\"",
                            "for = 1.2.3.4", "=1.2.3.4", ", \"", ",,\\\""}) {
    CHECK_MESSAGE(forwarded_nodes(field) == Nodes{"unknown"}, field);
  }
}

TEST_CASE("Whatever a stranger has begun, the elements behind it are read") {
  for (const std::string element :
       {R"(for="[2001:db8::1]";host="a, for=1.1.1.1")", R"(proto=https;for="[2001:db8::1]")",
        R"(host="a\", for=1.1.1.1";for="[2001:db8::1]")"}) {
    for (const char* begun : {"for=\"", "for=5.6.7.8;x=\"", "for=5.6.7.8;x=\"\\", "nonsense", "\"",
                              "for=1.2.3.4;for=1.2.3.4"}) {
      const std::string field = std::string(begun) + ", " + element;
      CAPTURE(field);
      CHECK(forwarded_nodes(field) == Nodes{"unknown", "[2001:db8::1]"});
      const auto more = forwarded_nodes(field + ", for=10.2.3.4");
      CHECK(more == Nodes{"unknown", "[2001:db8::1]", "10.2.3.4"});
    }
  }
  CHECK(forwarded_nodes("for=\", for=1.2.3.4,") == Nodes{"unknown", "1.2.3.4", ""});
  CHECK(forwarded_nodes("") == Nodes{""});
  CHECK(forwarded_nodes(",") == Nodes{"", ""});
}

TEST_CASE("A node has an address, with or without a port, or has none") {
  const auto text = [](std::string_view node) {
    const auto address = node_address(node);
    return address ? address->text() : "";
  };
  CHECK(text("192.0.2.43") == "192.0.2.43");
  CHECK(text("192.0.2.43:47011") == "192.0.2.43");
  CHECK(text("192.0.2.43:_port") == "192.0.2.43");
  CHECK(text("2001:db8::1") == "2001:db8::1");
  CHECK(text("[2001:db8::1]") == "2001:db8::1");
  CHECK(text("[2001:db8::1]:80") == "2001:db8::1");
  CHECK(text("[::ffff:192.0.2.1]:80") == "192.0.2.1");
  for (const char* node : {"", "unknown", "_hidden", "192.0.2.43:", "192.0.2.43:8 0", "[::1", "[]",
                           "[::1]x", "[::1]:", "192.0.2.256", "localhost", "::1]:80", "a:b:c"}) {
    CHECK_MESSAGE(text(node).empty(), node);
  }
}

}  // namespace
}  // namespace syncrelay
