#include "syncrelay/ws/host_rule.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <cctype>

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

bool holds_only(std::string_view text, std::string_view others) {
  return std::all_of(text.begin(), text.end(), [others](unsigned char c) {
    return (c < 0x80 && std::isalnum(c) != 0) || others.find(static_cast<char>(c)) != others.npos;
  });
}

// What a Host or Origin may name: a name as DNS and browsers write it, or an address.
bool is_host_name(std::string_view host) {
  return host.starts_with('[') ? is_address(host) : !host.empty() && holds_only(host, "-_.");
}

bool names_port(std::string_view text) {
  constexpr std::size_t kMaxDigits = 5;
  return text.starts_with(':') && text.size() > 1 && text.size() <= 1 + kMaxDigits &&
         text.find_first_not_of("0123456789", 1) == text.npos;
}

bool is_scheme(std::string_view text) {
  return !text.empty() && holds_only(text, "+-.");
}

}  // namespace

std::string_view host_name(std::string_view authority) {
  if (!authority.empty() && authority.front() == '[')
    return authority.substr(0, authority.find(']') + 1);
  return authority.substr(0, authority.find(':'));
}

std::string_view origin_host(std::string_view origin) {
  const std::size_t scheme = origin.find("://");
  if (scheme == std::string_view::npos || !is_scheme(origin.substr(0, scheme))) return {};
  const std::string_view authority = origin.substr(scheme + 3);
  const std::string_view name = host_name(authority);
  const std::string_view port = authority.substr(name.size());
  return is_host_name(name) && (port.empty() || names_port(port)) ? name : std::string_view();
}

std::string host_option(std::string_view authority) {
  const std::string_view name = host_name(authority);
  return is_host_name(name) ? "--allow-host " + std::string(name) : "--allow-host";
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
