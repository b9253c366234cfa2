#include "syncrelay/ws/deflate_offer.h"

#include <doctest/doctest.h>

#include "syncrelay/ws/http_request.h"

namespace syncrelay {
namespace {

const std::string kPlain =
    "permessage-deflate; server_no_context_takeover; client_no_context_takeover";
const std::string kLimited = kPlain + "; server_max_window_bits=12";

// For one field, or several with a line break between them.
std::string granted(std::string fields) {
  std::string head = "GET /ws/sync HTTP/1.1\r\nhost: a\r\n";
  while (!fields.empty()) {
    const std::size_t end = std::min(fields.find('\n'), fields.size());
    head += "Sec-WebSocket-Extensions: " + fields.substr(0, end) + "\r\n";
    fields.erase(0, end + 1);
  }
  head += "\r\n";
  const auto request = HttpRequest::parse(head);
  REQUIRE(request.ok());
  return grant_deflate(request.value().elements("sec-websocket-extensions"));
}

TEST_CASE("An offer that can be kept is granted, without context on either side") {
  for (const std::string offer :
       {"permessage-deflate", "  permessage-deflate  ",
        "permessage-deflate; client_max_window_bits", "permessage-deflate;client_max_window_bits=8",
        "permessage-deflate; client_max_window_bits=15",
        "permessage-deflate; server_no_context_takeover",
        "permessage-deflate ;client_no_context_takeover ; server_no_context_takeover",
        R"(permessage-deflate; client_max_window_bits="10")", "permessage-deflate;"}) {
    CAPTURE(offer);
    CHECK(granted(offer) == kPlain);
  }
}

TEST_CASE("A client may limit how far the relay refers back, as far as it does at most") {
  for (const std::string offer :
       {"permessage-deflate; server_max_window_bits=12",
        "permessage-deflate; server_max_window_bits=15",
        R"(permessage-deflate; server_max_window_bits="13")",
        "permessage-deflate; client_max_window_bits; server_max_window_bits = 14"}) {
    CAPTURE(offer);
    CHECK(granted(offer) == kLimited);
  }
  CHECK(granted("permessage-deflate; server_max_window_bits=11").empty());
  CHECK(granted("permessage-deflate; server_max_window_bits=8").empty());
}

TEST_CASE("What is malformed, unknown or there twice declines an offer") {
  for (const std::string offer :
       {"",
        ",",
        "permessage-bzip2",
        "x-webkit-deflate-frame",
        "permessage-deflatex",
        "deflate",
        "Permessage-Deflate",
        "permessage-deflate; unknown",
        "permessage-deflate; unknown=1",
        "permessage-deflate; server_max_window_bits",
        "permessage-deflate; server_max_window_bits=",
        "permessage-deflate; server_max_window_bits=16",
        "permessage-deflate; server_max_window_bits=7",
        "permessage-deflate; server_max_window_bits=012",
        "permessage-deflate; server_max_window_bits=+12",
        "permessage-deflate; server_max_window_bits=12x",
        R"(permessage-deflate; server_max_window_bits="12)",
        "permessage-deflate; client_max_window_bits=7",
        "permessage-deflate; client_max_window_bits=16",
        "permessage-deflate; client_max_window_bits=",
        R"(permessage-deflate; client_max_window_bits="")",
        "permessage-deflate; server_no_context_takeover=1",
        R"(permessage-deflate; client_no_context_takeover="")",
        "permessage-deflate; server_no_context_takeover; server_no_context_takeover",
        "permessage-deflate; client_max_window_bits; client_max_window_bits=12",
        "permessage-deflate; server_max_window_bits=12; server_max_window_bits=12",
        "permessage-deflate;; client_max_window_bits",
        "permessage-deflate permessage-deflate"}) {
    CAPTURE(offer);
    CHECK(granted(offer).empty());
  }
}

TEST_CASE("Of several offers the first that can be kept counts, in however many fields") {
  CHECK(granted("permessage-bzip2, permessage-deflate") == kPlain);
  CHECK(granted("permessage-deflate; unknown, permessage-deflate") == kPlain);
  CHECK(granted("permessage-deflate; server_max_window_bits=10, "
                "permessage-deflate; server_max_window_bits=12, permessage-deflate") == kLimited);
  CHECK(granted("permessage-deflate, permessage-deflate; server_max_window_bits=12") == kPlain);
  CHECK(granted("permessage-bzip2\npermessage-deflate; server_max_window_bits=9\n"
                "permessage-deflate; server_max_window_bits=12") == kLimited);
  CHECK(grant_deflate({}).empty());
}

}  // namespace
}  // namespace syncrelay
