#include "syncrelay/door/visitor_rule.h"

#include <algorithm>
#include <string_view>
#include <utility>
#include <vector>

namespace syncrelay {
namespace {

// Without its scheme and the port that the scheme has anyway; nullopt: no origin of a page.
std::optional<std::string_view> authority_of(std::string_view origin) {
  for (const auto& [scheme, port] :
       {std::pair<std::string_view, std::string_view>{"http://", ":80"}, {"https://", ":443"}}) {
    if (!equal_ignoring_case(origin.substr(0, scheme.size()), scheme)) continue;
    origin.remove_prefix(scheme.size());
    if (origin.ends_with(port)) origin.remove_suffix(port.size());
    return origin;
  }
  return std::nullopt;
}

std::string_view without_usual_port(std::string_view host) {
  for (const std::string_view port : {":80", ":443"}) {
    if (host.ends_with(port)) return host.substr(0, host.size() - port.size());
  }
  return host;
}

bool is_own(std::string_view origin, std::string_view host) {
  const auto authority = authority_of(origin);
  return authority && equal_ignoring_case(*authority, without_usual_port(host));
}

bool is_link(const HttpRequest& request) {
  return request.method() == "GET" && request.field("sec-fetch-mode") == "navigate" &&
         request.field("sec-fetch-dest") == "document";
}

// As checks of health do by HTTP/1.0, and no browser.
bool names_no_host(const HttpRequest& request) {
  return request.http_1_0() && request.host().empty() && request.count("host") == 0;
}

}  // namespace

std::optional<HttpFault> visitor_fault(const HttpRequest& request, const HostRule& hosts,
                                       bool asks_token, bool of_page) {
  const HostRule::Verdict host = hosts.judge(request.host());
  const bool harmless = asks_token || names_no_host(request);
  if (host == HostRule::Verdict::refused || (host == HostRule::Verdict::unlisted && !harmless))
    return HttpFault{421, "the relay is not known by that host name: see --allow-host"};
  const std::size_t origins = request.count("origin");
  if (origins > 1 || (origins == 1 && !is_own(request.field("origin"), request.host())))
    return HttpFault{403, "pages of another origin may not come in here"};
  const std::vector<std::string_view> sites = request.values("sec-fetch-site");
  const bool foreign = std::any_of(sites.begin(), sites.end(), [](std::string_view site) {
    return site != "same-origin" && site != "none";
  });
  if (foreign && !(of_page && is_link(request)))
    return HttpFault{403, "pages of another site may not come in here"};
  return std::nullopt;
}

}  // namespace syncrelay
