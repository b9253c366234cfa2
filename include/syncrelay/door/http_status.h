#pragma once

#include <string>
#include <string_view>

#include "syncrelay/protocol/rejection.h"
#include "syncrelay/ws/http_request.h"
#include "syncrelay/ws/http_response.h"

namespace syncrelay {

// The status by which HTTP tells why the relay has refused something. A table with a row for each
// reason; docs/http.md and docs/openapi.json have the same.
int status_of(RejectReason reason);

// Whether the same may well be taken a moment later: the answer says after how many seconds then.
bool may_retry(int status);

// The code that an answer of the door itself has in its JSON, in the place of a reason.
std::string_view code_of(int status);

// What the door says itself about a request: JSON as a refusal on the control socket is.
HttpResponse fault_response(const HttpFault& fault);

// What the relay has answered; `refused`: null when it has not.
HttpResponse relay_response(std::string text, const RejectReason* refused);

}  // namespace syncrelay
