#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "syncrelay/ws/http_request.h"

namespace syncrelay {

inline constexpr std::string_view kSubprotocol = "syncrelay";

// Where a request may have a token besides its Authorization field and its list of subprotocols.
struct TokenPlaces {
  std::string cookie;   // name; empty: in none
  bool in_url = false;  // ?token=
};

// The token that a request has: from `Authorization: Bearer` (RFC 6750 section 2.1), else from the
// subprotocols `syncrelay, token.<JWT>`, where a browser can put one, else from the cookie, else
// from the URL, whose `arguments` these are. nullopt: it has none, in these places.
std::optional<std::string> token_of(const HttpRequest& request,
                                    const std::vector<std::string>& arguments,
                                    const TokenPlaces& places);

}  // namespace syncrelay
