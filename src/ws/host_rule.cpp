#include "syncrelay/ws/host_rule.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>

#include "syncrelay/ws/http_request.h"

namespace syncrelay {
namespace {

// An IPv6 address stands in brackets.
bool is_address(std::string_view host) {
  std::array<unsigned char, sizeof(in6_addr)> parsed{};
  if (host.starts_with('[') && host.ends_with(']')) {
    const std::string inner(host.substr(1, host.size() - 2));
    return inet_pton(AF_INET6, inner.c_str(), parsed.data()) == 1;
  }
  return inet_pton(AF_INET, std::string(host).c_str(), parsed.data()) == 1;
}

}  // namespace

std::string_view host_name(std::string_view authority) {
  if (!authority.empty() && authority.front() == '[')
    return authority.substr(0, authority.find(']') + 1);
  return authority.substr(0, authority.find(':'));
}

std::string_view origin_host(std::string_view origin) {
  const std::size_t scheme = origin.find("://");
  if (scheme == std::string_view::npos) return {};
  const std::string_view authority = origin.substr(scheme + 3);
  const std::string_view name = host_name(authority);
  const std::string_view port = authority.substr(name.size());
  const bool sound =
      port.empty() || (port.front() == ':' && port.find_first_not_of("0123456789", 1) == port.npos);
  return sound ? name : std::string_view();
}

HostRule::HostRule(const std::vector<std::string>& allowed, const std::vector<std::string>& origins)
    : lists_any_(!allowed.empty()), known_(allowed) {
  for (std::string& name : known_) {
    if (name.ends_with('.')) name.pop_back();
  }
  known_.emplace_back("localhost");
  for (const std::string& origin : origins) {
    if (!origin_host(origin).empty()) known_.emplace_back(origin_host(origin));
  }
}

// A name may end with a dot, which makes it no other one.
HostRule::Verdict HostRule::judge(std::string_view authority) const {
  std::string_view name = host_name(authority);
  if (name.ends_with('.')) name.remove_suffix(1);
  const auto named = [name](const std::string& known) { return equal_ignoring_case(known, name); };
  if (is_address(name) || std::any_of(known_.begin(), known_.end(), named)) return Verdict::known;
  return lists_any_ ? Verdict::refused : Verdict::unlisted;
}

}  // namespace syncrelay
