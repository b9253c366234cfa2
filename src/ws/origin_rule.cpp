#include "syncrelay/ws/origin_rule.h"

#include <arpa/inet.h>

#include <algorithm>
#include <utility>

#include "syncrelay/protocol/control_frame.h"
#include "syncrelay/ws/host_rule.h"
#include "syncrelay/ws/http_request.h"

namespace syncrelay {
namespace {

constexpr std::pair<std::string_view, std::string_view> kDefaultPorts[] = {{"http://", ":80"},
                                                                           {"https://", ":443"}};

// As browsers write it: without the port that its scheme has anyway (RFC 6454 section 6.2).
std::string_view canonical(std::string_view origin) {
  for (const auto& [scheme, port] : kDefaultPorts) {
    if (equal_ignoring_case(origin.substr(0, scheme.size()), scheme) && origin.ends_with(port))
      origin.remove_suffix(port.size());
  }
  return origin;
}

bool is_localhost(std::string_view name) {
  constexpr std::string_view kLocalhost = "localhost";
  if (name.size() < kLocalhost.size()) return false;
  const std::string_view parent = name.substr(0, name.size() - kLocalhost.size());
  return equal_ignoring_case(name.substr(parent.size()), kLocalhost) &&
         (parent.empty() || parent.ends_with('.'));  // RFC 6761 section 6.3
}

bool is_loopback(std::string_view name) {
  constexpr unsigned char kLoopbackNetwork = 127;
  in_addr address{};
  if (inet_pton(AF_INET, std::string(name).c_str(), &address) == 1)
    return ntohl(address.s_addr) >> 24 == kLoopbackNetwork;
  return name == "[::1]" || is_localhost(name);
}

// A name may end with a dot, which makes it no other one.
std::string_view without_dot(std::string_view name) {
  if (name.ends_with('.')) name.remove_suffix(1);
  return name;
}

bool same_host(std::string_view page, std::string_view host) {
  if (page.empty()) return false;
  return equal_ignoring_case(page, host) || (is_loopback(page) && is_loopback(host));
}

}  // namespace

OriginRule::OriginRule(const std::vector<std::string>& listed)
    : lists_all_(std::find(listed.begin(), listed.end(), "*") != listed.end()) {
  for (const std::string& origin : listed) listed_.emplace_back(canonical(origin));
}

bool OriginRule::allows(std::string_view origin, std::string_view host) const {
  return origin.empty() ||
         same_host(without_dot(origin_host(origin)), without_dot(host_name(host))) || lists(origin);
}

bool OriginRule::lists(std::string_view origin) const {
  const auto same = [asked = canonical(origin)](const std::string& entry) {
    return equal_ignoring_case(entry, asked);
  };
  return lists_all_ || std::any_of(listed_.begin(), listed_.end(), same);
}

std::string origin_option(std::string_view origin) {
  const bool listable = origin == "null" || origin == "file://" || !origin_host(origin).empty();
  return listable ? "--allow-origin " + std::string(origin) : "--allow-origin";
}

std::string origin_refusal(std::string_view origin) {
  const std::string told = "origin_not_allowed: start the relay with " + origin_option(origin);
  const bool fits = told.size() <= kMaxCloseReason && told.ends_with(origin);
  return fits ? told : "origin_not_allowed: see --allow-origin of the relay";
}

}  // namespace syncrelay
