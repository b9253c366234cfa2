#pragma once

#include <optional>

#include "syncrelay/ws/host_rule.h"
#include "syncrelay/ws/http_request.h"

namespace syncrelay {

// Keeps pages of others away from the HTTP door, whatever a browser lets them send (CSRF, DNS
// rebinding): an origin must be the door's own, and a browser must not say that another site has
// asked. Only the page itself may be gone to from elsewhere, by a link. `asks_token`: who has none
// is refused anyway, so that a host name that is not listed does no harm. What is wrong, if
// anything is. Pure.
std::optional<HttpFault> visitor_fault(const HttpRequest& request, const HostRule& hosts,
                                       bool asks_token, bool of_page);

}  // namespace syncrelay
