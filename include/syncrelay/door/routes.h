#pragma once

#include <string>
#include <string_view>

#include "syncrelay/metrics/stats.h"
#include "syncrelay/ws/http_request.h"

namespace syncrelay {

// What a request to the HTTP door is about.
struct Routed {
  DoorPath path = DoorPath::other;
  std::string_view allow = "GET, HEAD";  // the methods that it has
  std::string query = {};  // what the relay is asked by GET, as on the control socket; empty: this
                           // is one of the door's own pages
};

// By the table of paths. Each argument of the URL becomes a member of the query, so that one that
// is wrong is refused as it is on the control socket. Pure.
Routed route(const HttpRequest& request);

// The value of an argument of the URL; empty: it is not there.
std::string argument(const HttpRequest& request, std::string_view name);

}  // namespace syncrelay
