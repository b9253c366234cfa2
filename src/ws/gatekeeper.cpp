#include "syncrelay/ws/gatekeeper.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "syncrelay/base/utf8.h"
#include "syncrelay/protocol/control_frame.h"
#include "syncrelay/ws/deflate_offer.h"
#include "syncrelay/ws/network.h"
#include "syncrelay/ws/pages.h"

namespace syncrelay {
namespace {

constexpr Duration kRefusalWarningInterval = std::chrono::seconds(1);
constexpr std::string_view kHealthPath = "/health";
constexpr std::size_t kShownOfStrangers = 128;  // of what a stranger made up

std::string granted(const HttpRequest& request, std::string_view extensions = {}) {
  return switching_protocols(request.field("sec-websocket-key"),
                             offers_subprotocol(request) ? kSubprotocol : std::string_view(),
                             extensions);
}

// Its own channel needs no permission.
bool may_follow_any(const ClientRequest& wishes, const Access* access) {
  if (access == nullptr || !access->channels) return true;
  const auto allowed = [access](const SubscribeMessage& wish) {
    return access->channels->match(wish.channel) ||
           (!access->id.empty() && wish.channel == '@' + access->id);
  };
  return std::any_of(wishes.subscriptions.begin(), wishes.subscriptions.end(), allowed);
}

}  // namespace

Gatekeeper::Gatekeeper(const DoorRules& rules, ShardStats& stats, const Status& status,
                       const Log& log)
    : rules_(rules),
      stats_(stats),
      status_(status),
      log_(log),
      tokens_(rules.tokens, status.clock, stats, log) {}

Gatekeeper::Decision Gatekeeper::decide(std::string_view head, std::string_view peer) {
  const Result<HttpRequest, HttpFault> parsed = HttpRequest::parse(head);
  if (!parsed) return refuse_head(parsed.error(), peer);
  const HttpRequest& request = parsed.value();
  std::optional<std::string> client = client_of(request, peer);
  if (!client) {
    return refuse(bad_request({400, "X-Forwarded-For and Forwarded name different clients"}),
                  request, peer);
  }
  std::string& address = *client;
  if (rules_.hosts.judge(request.host()) == HostRule::Verdict::refused)
    return refuse(misdirected(), request, address);
  if (status_.catching_up.load(std::memory_order_relaxed) && request.path() != kHealthPath)
    return refuse(unavailable(RefusalReason::catching_up), request, address);
  if (request.path() == kClientPath && wants_websocket(request))
    return admit(request, std::move(address), peer);
  return page(request, address);
}

std::string Gatekeeper::crowd_of(std::string_view address) const {
  return rules_.proxies.trusts(address) ? std::string() : network_of(address);
}

std::optional<std::string> Gatekeeper::client_of(const HttpRequest& request,
                                                 std::string_view peer) {
  auto client = rules_.proxies.client_of(request, peer);
  if (client) return std::move(client).value();
  const bool unusable = client.error() == ProxyRule::Doubt::unusable;
  stats_.proxy_headers_unusable.add();
  tell_of_proxy(unusable ? "a trusted proxy does not say by an address for whom it speaks: its own "
                           "is taken"
                         : "request refused: X-Forwarded-For and Forwarded of a trusted proxy name "
                           "different clients; it has to take off the one that it does not write",
                request, peer);
  if (!unusable) return std::nullopt;
  return std::string(peer);
}

Gatekeeper::Decision Gatekeeper::admit(const HttpRequest& request, std::string address,
                                       std::string_view peer) {
  if (names_client(request) && !rules_.proxies.trusts(peer)) tell_of_untrusted_proxy(peer);
  if (const auto refusal = check_upgrade(request)) return refuse(*refusal, request, address);
  const std::string network = network_of(address);
  if (rules_.connect_rate != nullptr && !rules_.connect_rate->allows(network, status_.clock.now()))
    return refuse_crowd(too_many_upgrades(), request, address, peer);
  if (!rules_.origins.allows(request.field("origin"), request.host()))
    return refuse_page(request, address);
  if (status_.stopping.load(std::memory_order_relaxed))
    return refuse(unavailable(RefusalReason::stopping), request, address);
  const std::vector<std::string> arguments = arguments_of(request.query());
  auto access = tokens_.admit(request, arguments, address);
  if (!access) {
    return refuse_behind_upgrade(request, RefusalReason::token, CloseCode::unauthorized,
                                 access.error().reason);
  }
  ClientRequest wishes = parse_client_request(arguments);
  if (!may_follow_any(wishes, access.value().get())) {
    return refuse_behind_upgrade(request, RefusalReason::forbidden, CloseCode::forbidden,
                                 "forbidden");
  }
  wishes.access = std::move(access).value();
  Result<Admission::Seat, RefusalReason> seat = rules_.admission.enter(network);
  if (!seat) return refuse_crowd(unavailable(seat.error()), request, address, peer);
  if (!request.field("origin").empty() &&
      rules_.hosts.judge(request.host()) == HostRule::Verdict::unlisted) {
    tell_of_unlisted_host(request.host());
  }
  const std::string extensions = rules_.compression
                                     ? grant_deflate(request.elements("sec-websocket-extensions"))
                                     : std::string();
  wishes.deflates = !extensions.empty();
  return Welcome{granted(request, extensions), std::move(address), std::move(wishes),
                 std::move(seat).value()};
}

Gatekeeper::Reply Gatekeeper::page(const HttpRequest& request, std::string_view address) {
  const auto file = rules_.page == nullptr ? std::nullopt : rules_.page->answer(request, address);
  const bool is_page = file || request.path() == kHealthPath;
  if (!is_page && request.path() != kClientPath) return refuse(not_found(), request, address);
  if (request.method() != "GET" && request.method() != "HEAD")
    return refuse(method_not_allowed(), request, address);
  if (!is_page) return refuse(not_an_upgrade(), request, address);
  return answer(file ? *file : health_page(status_), request);
}

Gatekeeper::Reply Gatekeeper::refuse_head(const HttpFault& fault, std::string_view address) {
  return refuse(bad_request(fault), HttpRequest(), address);
}

Gatekeeper::Reply Gatekeeper::refuse_tls(std::string_view address) {
  if (may_warn(next_warning_)) {
    log_.warning(
        "a connection speaks TLS to a listener that has none: give --tls-cert and "
        "--tls-key, or have it use ws:// or http://",
        {{"address", address}});
  }
  return refuse_head({400, "this is TLS, and the port has none"}, address);
}

Gatekeeper::Reply Gatekeeper::refuse(const Refusal& refusal, const HttpRequest& request,
                                     std::string_view address) {
  counter(stats_.refused, refusal.reason).add();
  log_refusal(refusal, request, address);
  return answer(refusal.response, request);
}

Gatekeeper::Reply Gatekeeper::refuse_page(const HttpRequest& request, std::string_view address) {
  const std::string_view origin = request.field("origin");
  warn("client refused: its page's origin is not allowed", request, address, origin_option(origin));
  return refuse_behind_upgrade(request, RefusalReason::origin, CloseCode::forbidden,
                               origin_refusal(origin));
}

Gatekeeper::Reply Gatekeeper::refuse_behind_upgrade(const HttpRequest& request, RefusalReason why,
                                                    CloseCode code, std::string_view reason) {
  counter(stats_.refused, why).add();
  const ControlFrame close = close_frame(static_cast<std::uint16_t>(code), reason);
  return {granted(request).append(as_text(close.bytes()))};
}

Gatekeeper::Reply Gatekeeper::answer(const HttpResponse& response,
                                     const HttpRequest& request) const {
  return {serialize(response, status_.clock.wall(), request.method() != "HEAD")};
}

void Gatekeeper::log_refusal(const Refusal& refusal, const HttpRequest& request,
                             std::string_view address) {
  if (refusal.reason == RefusalReason::host) {
    return warn("request refused: the relay is not known by that host name", request, address,
                host_option(request.host()));
  }
  log_.debug("request refused",
             {{"reason", kRefusalReasonNames[static_cast<std::size_t>(refusal.reason)]},
              {"path", request.path()},
              {"address", address}});
}

// What an operator can do something about is a warning, once a second at most: a stranger cannot
// fill the log.
bool Gatekeeper::may_warn(TimePoint& next) const {
  const TimePoint now = status_.clock.now();
  if (now < next) return false;
  next = now + kRefusalWarningInterval;
  return true;
}

void Gatekeeper::warn(std::string_view what, const HttpRequest& request, std::string_view address,
                      const std::string& allow_with) {
  if (!may_warn(next_warning_)) return;
  log_.warning(what, {{"origin", shortened(request.field("origin"), kShownOfStrangers)},
                      {"host", shortened(request.host(), kShownOfStrangers)},
                      {"address", address},
                      {"allow_with", allow_with}});
}

void Gatekeeper::tell_of_proxy(std::string_view what, const HttpRequest& request,
                               std::string_view proxy) {
  if (!may_warn(next_proxy_warning_)) return;
  log_.warning(what,
               {{"proxy", proxy},
                {"x_forwarded_for", shortened(request.field("x-forwarded-for"), kShownOfStrangers)},
                {"forwarded", shortened(request.field("forwarded"), kShownOfStrangers)}});
}

void Gatekeeper::tell_of_unlisted_host(std::string_view host) {
  if (!rules_.hosts.first_unlisted()) return;
  log_.warning(
      "pages reach this relay by a name that is not listed; listing the names shuts out pages that "
      "make up one (DNS rebinding)",
      {{"host", shortened(host, kShownOfStrangers)}, {"list_with", host_option(host)}});
}

void Gatekeeper::tell_of_untrusted_proxy(std::string_view peer) {
  if (!rules_.proxies.first_untrusted()) return;
  log_.warning(
      "somebody names the client for whom he speaks, and is no --trusted-proxy: his own address is "
      "taken, which all behind him share",
      {{"address", peer}, {"trust_with", "--trusted-proxy " + std::string(peer)}});
}

// Where all clients have one address, the bound of an address shuts out everybody.
Gatekeeper::Reply Gatekeeper::refuse_crowd(const Refusal& refusal, const HttpRequest& request,
                                           std::string_view address, std::string_view peer) {
  const bool rate = refusal.reason == RefusalReason::connect_rate;
  const bool of_address = rate || refusal.reason == RefusalReason::max_clients_per_address;
  if (of_address && may_warn(next_crowd_warning_)) {
    const bool named = address == peer;
    const std::string proxy = rules_.proxies.trusts(peer) ? "have it send X-Forwarded-For"
                                                          : "--trusted-proxy " + std::string(peer);
    log_.warning(
        rate ? "clients refused: their address connects more often than --connect-rate allows"
             : "clients refused: their address has all that --max-clients-per-address allows",
        {{"address", address},
         {"if_it_is_a_proxy", named ? proxy : "it is none, but named by one"}});
  }
  return refuse(refusal, request, address);
}

}  // namespace syncrelay
