#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "syncrelay/metrics/stats.h"
#include "syncrelay/protocol/rejection.h"
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

// What the URL of commands says besides: an id and nothing else, since an argument that nobody
// reads would be one on which its sender relies in vain.
struct CommandsArguments {
  std::optional<std::string> id;
  std::optional<Rejection> fault;
};
CommandsArguments arguments_of_commands(const HttpRequest& request);

}  // namespace syncrelay
