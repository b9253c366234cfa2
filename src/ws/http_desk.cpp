#include "http_desk.h"

#include <memory>
#include <optional>
#include <utility>

#include "connection_tag.h"
#include "http_exchange.h"
#include "syncrelay/ws/pages.h"

namespace syncrelay {

HttpDesk::HttpDesk(std::vector<std::string> allowed_origins, ShardStats& stats,
                   Admission& admission, const Status& status, const Log& log)
    : allowed_origins_(std::move(allowed_origins)),
      stats_(stats),
      admission_(admission),
      status_(status),
      log_(log) {}

int HttpDesk::confirm_upgrade(lws* wsi) {
  const UpgradeRequest request = read_request(wsi);
  if (is_admin(wsi)) return refuse(wsi, not_found(), request);
  if (const auto refusal = check_upgrade(request, allowed_origins_))
    return refuse(wsi, *refusal, request);
  if (status_.stopping.load(std::memory_order_relaxed))
    return refuse(wsi, unavailable(RefusalReason::stopping), request);
  std::string address = peer_address(wsi);
  if (const auto reason = admission_.enter(address))
    return refuse(wsi, unavailable(*reason), request);
  const ClientRequest wishes = parse_client_request(read_arguments(wsi), status_.epoch);
  give_client(wsi, std::make_unique<ClientConnection>(wsi, wishes, std::move(address)));
  return 0;
}

int HttpDesk::refuse(lws* wsi, const Refusal& refusal, const UpgradeRequest& request) {
  counter(stats_.refused, refusal.reason).add();
  if (refusal.reason == RefusalReason::origin) {
    log_.warning("client refused: its page's origin is not allowed",
                 {{"origin", request.origin},
                  {"host", request.host},
                  {"allow_with", "--allow-origin " + request.origin}});
  } else {
    log_.debug("request refused",
               {{"reason", kRefusalReasonNames[static_cast<std::size_t>(refusal.reason)]},
                {"path", request.path},
                {"address", peer_address(wsi)}});
  }
  return send(wsi, refusal.response) < 0 ? -1 : 1;
}

int HttpDesk::answer(lws* wsi, std::string_view path) {
  const UpgradeRequest request = read_request(wsi);
  const bool admin = is_admin(wsi);
  std::optional<Refusal> refusal;
  if (path == (admin ? "/metrics" : "/health") || (!admin && path == kClientPath)) {
    if (!request.is_get) refusal = method_not_allowed();
    if (request.is_get && path == kClientPath) refusal = not_an_upgrade();
  } else {
    refusal = not_found();
  }
  if (refusal) counter(stats_.refused, refusal->reason).add();
  const int sent = send(wsi, refusal ? refusal->response
                             : admin ? metrics_page(status_)
                                     : health_page(status_));
  if (sent < 0 || !request.is_get) return -1;  // what follows another method's headers is not read
  return lws_http_transaction_completed(wsi) != 0 ? -1 : 0;
}

int HttpDesk::send(lws* wsi, const HttpResponse& response) {
  mark_as_answered(wsi);
  return send_response(wsi, response) ? 0 : -1;
}

}  // namespace syncrelay
