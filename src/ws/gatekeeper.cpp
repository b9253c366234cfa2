#include "syncrelay/ws/gatekeeper.h"

#include <chrono>
#include <utility>

#include "syncrelay/ws/pages.h"

namespace syncrelay {
namespace {

constexpr Duration kOriginWarningInterval = std::chrono::seconds(1);

}  // namespace

Gatekeeper::Gatekeeper(std::vector<std::string> allowed_origins, HostRule& hosts, ShardStats& stats,
                       Admission& admission, const Status& status, const Log& log)
    : allowed_origins_(std::move(allowed_origins)),
      hosts_(hosts),
      stats_(stats),
      admission_(admission),
      status_(status),
      log_(log) {}

Gatekeeper::Decision Gatekeeper::decide(std::string_view head, ListenerRole listener,
                                        const Peer& peer) {
  const std::string_view address = peer.address;
  const Result<HttpRequest, HttpFault> parsed = HttpRequest::parse(head);
  if (!parsed) return refuse_head(parsed.error(), address);
  const HttpRequest& request = parsed.value();
  if (hosts_.judge(request.host()) == HostRule::Verdict::refused)
    return refuse(misdirected(), request, address);
  const bool at_the_door = listener == ListenerRole::clients && request.path() == kClientPath;
  if (at_the_door && wants_websocket(request)) return admit(request, peer);
  return page(request, listener, address);
}

Gatekeeper::Decision Gatekeeper::admit(const HttpRequest& request, const Peer& peer) {
  const std::string_view address = peer.address;
  if (const auto refusal = check_upgrade(request, allowed_origins_))
    return refuse(*refusal, request, address);
  if (status_.stopping.load(std::memory_order_relaxed))
    return refuse(unavailable(RefusalReason::stopping), request, address);
  Result<Admission::Seat, RefusalReason> seat = admission_.enter(peer.network);
  if (!seat) return refuse(unavailable(seat.error()), request, address);
  if (!request.field("origin").empty() &&
      hosts_.judge(request.host()) == HostRule::Verdict::unlisted) {
    tell_of_unlisted_host(request.host());
  }
  return Welcome{switching_protocols(request.field("sec-websocket-key")),
                 parse_client_request(arguments_of(request.query()), status_.epoch),
                 std::move(seat).value()};
}

Gatekeeper::Reply Gatekeeper::page(const HttpRequest& request, ListenerRole listener,
                                   std::string_view address) {
  const bool admin = listener == ListenerRole::admin;
  const bool is_page = request.path() == (admin ? "/metrics" : "/health");
  if (!is_page && (admin || request.path() != kClientPath))
    return refuse(not_found(), request, address);
  if (request.method() != "GET" && request.method() != "HEAD")
    return refuse(method_not_allowed(), request, address);
  if (!is_page) return refuse(not_an_upgrade(), request, address);
  return answer(admin ? metrics_page(status_) : health_page(status_), request);
}

Gatekeeper::Reply Gatekeeper::refuse_head(const HttpFault& fault, std::string_view address) {
  return refuse(bad_request(fault), HttpRequest(), address);
}

Gatekeeper::Reply Gatekeeper::refuse(const Refusal& refusal, const HttpRequest& request,
                                     std::string_view address) {
  counter(stats_.refused, refusal.reason).add();
  log_refusal(refusal, request, address);
  return answer(refusal.response, request);
}

Gatekeeper::Reply Gatekeeper::answer(const HttpResponse& response,
                                     const HttpRequest& request) const {
  return {serialize(response, status_.clock.wall(), request.method() != "HEAD")};
}

// What an operator can do something about is a warning, once a second at most: a stranger cannot
// fill the log.
void Gatekeeper::log_refusal(const Refusal& refusal, const HttpRequest& request,
                             std::string_view address) {
  const bool of_origin = refusal.reason == RefusalReason::origin;
  if (!of_origin && refusal.reason != RefusalReason::host) {
    log_.debug("request refused",
               {{"reason", kRefusalReasonNames[static_cast<std::size_t>(refusal.reason)]},
                {"path", request.path()},
                {"address", address}});
    return;
  }
  const TimePoint now = status_.clock.now();
  if (now < next_warning_) return;
  next_warning_ = now + kOriginWarningInterval;
  const std::string_view origin = request.field("origin");
  const std::string allow_with = of_origin
                                     ? "--allow-origin " + std::string(origin)
                                     : "--allow-host " + std::string(host_name(request.host()));
  log_.warning(of_origin ? "client refused: its page's origin is not allowed"
                         : "request refused: the relay is not known by that host name",
               {{"origin", origin},
                {"host", request.host()},
                {"address", address},
                {"allow_with", allow_with}});
}

void Gatekeeper::tell_of_unlisted_host(std::string_view host) {
  if (!hosts_.first_unlisted()) return;
  const std::string list_with = "--allow-host " + std::string(host_name(host));
  log_.warning(
      "pages reach this relay by a name that is not listed; listing the names shuts out pages that "
      "make up one (DNS rebinding)",
      {{"host", host}, {"list_with", list_with}});
}

}  // namespace syncrelay
