#pragma once

#include <libwebsockets.h>

#include <string>
#include <string_view>
#include <vector>

#include "syncrelay/base/log.h"
#include "syncrelay/ws/admission.h"
#include "syncrelay/ws/status.h"
#include "syncrelay/ws/upgrade.h"

namespace syncrelay {

// Answers a shard's HTTP requests and decides on its upgrades. Its shard's thread only. Results are
// what libwebsockets' callback is to return.
class HttpDesk {
 public:
  // All references must outlive the desk.
  HttpDesk(std::vector<std::string> allowed_origins, ShardStats& stats, Admission& admission,
           const Status& status, const Log& log);

  // LWS_CALLBACK_HTTP_CONFIRM_UPGRADE: gives the connection its ClientConnection, or answers with a
  // refusal.
  int confirm_upgrade(lws* wsi);

  // LWS_CALLBACK_HTTP: /health and refusals; /metrics for the admin listener.
  int answer(lws* wsi, std::string_view path);

 private:
  int refuse(lws* wsi, const Refusal& refusal, const UpgradeRequest& request);
  static int send(lws* wsi, const HttpResponse& response);

  const std::vector<std::string> allowed_origins_;
  ShardStats& stats_;
  Admission& admission_;
  const Status& status_;
  const Log& log_;
};

}  // namespace syncrelay
