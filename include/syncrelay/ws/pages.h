#pragma once

#include "syncrelay/ws/http_response.h"
#include "syncrelay/ws/status.h"

namespace syncrelay {

// GET /health: 200 while serving, 503 while draining.
HttpResponse health_page(const Status& status);

// GET /metrics on the admin listener, in Prometheus' text format 0.0.4.
HttpResponse metrics_page(const Status& status);

}  // namespace syncrelay
