#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "syncrelay/metrics/stats.h"
#include "syncrelay/shard/session.h"
#include "syncrelay/ws/http_request.h"
#include "syncrelay/ws/http_response.h"

namespace syncrelay {

inline constexpr std::string_view kClientPath = "/ws/sync";

struct Refusal {
  RefusalReason reason;
  HttpResponse response;
};

// Whether the request asks for a WebSocket. Offers of anything else are as if absent (RFC 9110
// section 7.8).
bool wants_websocket(const HttpRequest& request);

// Whether it names the subprotocol that is spoken here, which is to be named in the answer then
// (RFC 6455 section 4.2.2).
bool offers_subprotocol(const HttpRequest& request);

// Why this upgrade is not to be (RFC 6455 section 4.2.1); nullopt: it is. Precondition:
// wants_websocket(request), for kClientPath.
std::optional<Refusal> check_upgrade(const HttpRequest& request);

Refusal bad_request(const HttpFault& fault);
Refusal method_not_allowed();
Refusal not_found();
Refusal not_an_upgrade();
Refusal misdirected();

// The answer to a refusal for capacity, for stopping or for catching up.
Refusal unavailable(RefusalReason reason);

// The answer to who has come too often, see ConnectRate.
Refusal too_many_upgrades();

// What the arguments of the URL ask for ("channel=…", "epoch=…", "seq=…", "session=…",
// "heartbeat=…", one string each, percent-decoded): the channels in their order, or the default
// one. Malformed ones are as if absent, except that a wish to resume is noted; which names are
// channels is not looked at.
ClientRequest parse_client_request(const std::vector<std::string>& arguments);

}  // namespace syncrelay
