#pragma once

#include <string_view>

#include "syncrelay/ws/http_response.h"
#include "syncrelay/ws/status.h"

namespace syncrelay {

// What a listener with TLS answers to HTTP without.
inline constexpr std::string_view kTlsAdvice = "this port speaks TLS: use https:// or wss://";

// GET /health: 200 while serving, 503 while draining or catching up.
HttpResponse health_page(const Status& status);

// GET /metrics on the admin listener, in Prometheus' text format 0.0.4.
HttpResponse metrics_page(const Status& status);

}  // namespace syncrelay
