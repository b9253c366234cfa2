#include "syncrelay/config/address.h"

#include <arpa/inet.h>

#include <algorithm>
#include <cstring>

#include "syncrelay/config/quantity.h"
#include "syncrelay/config/text.h"

namespace syncrelay::config {
namespace {

constexpr std::string_view kIpc = "ipc://";
constexpr std::string_view kTcp = "tcp://";

struct Split {
  std::string_view host;
  std::string_view port;
};

// At the last colon; an IPv6 address has to stand in brackets, which go.
std::optional<Split> split_host_port(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  Split split{text.substr(0, colon), text.substr(colon + 1)};
  if (split.host.starts_with('[') && split.host.ends_with(']')) {
    split.host = split.host.substr(1, split.host.size() - 2);
  } else if (split.host.find(':') != std::string_view::npos) {
    return std::nullopt;
  }
  if (split.host.empty()) return std::nullopt;
  return split;
}

std::optional<std::uint16_t> parse_port(std::string_view text) {
  const auto port = parse_number(text);
  if (!port || *port > 65535) return std::nullopt;
  return static_cast<std::uint16_t>(*port);
}

std::optional<std::string> ipc_problem(std::string_view path) {
  if (path.empty() || path == "*") return "names no path: write ipc:///directory/name.sock";
  if (path.starts_with('@')) return "is an abstract socket, which has no permissions: use a path";
  if (!is_printable(path)) return "holds control characters";
  if (path.size() <= kMaxIpcPath) return std::nullopt;
  return "has a path of " + std::to_string(path.size()) + " bytes; a socket's path ends at " +
         std::to_string(kMaxIpcPath);
}

std::optional<std::string> tcp_problem(std::string_view address) {
  const auto split = split_host_port(address);
  if (!split) return "is not tcp://ADDRESS:PORT (IPv6 in brackets)";
  if (split->port != "*" && !parse_port(split->port)) return "has no port from 0 to 65535";
  if (split->host == "localhost")
    return "has a name where ZeroMQ needs an address: write 127.0.0.1";
  const bool odd = address.find_first_of(" ;,/") != std::string_view::npos;
  if (odd || !is_printable(address)) return "is not tcp://ADDRESS:PORT";
  return std::nullopt;
}

// What may stand between the scheme and the end of an Origin header; it has no path.
bool is_authority(std::string_view text) {
  const auto fits = [](char c) {
    const bool word = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    return word || std::string_view("-._:[]").find(c) != std::string_view::npos;
  };
  return !text.empty() && std::all_of(text.begin(), text.end(), fits);
}

bool is_scheme(std::string_view text) {
  const auto fits = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.';
  };
  return !text.empty() && std::all_of(text.begin(), text.end(), fits);
}

}  // namespace

bool is_loopback(std::string_view host) {
  const std::string text(host);
  in_addr v4{};
  if (inet_pton(AF_INET, text.c_str(), &v4) == 1) return (ntohl(v4.s_addr) >> 24U) == 127;
  in6_addr v6{};
  if (inet_pton(AF_INET6, text.c_str(), &v6) != 1) return false;
  return std::memcmp(&v6, &in6addr_loopback, sizeof v6) == 0;
}

std::optional<HostPort> parse_host_port(std::string_view text) {
  const auto split = split_host_port(text);
  if (!split || !is_host(split->host)) return std::nullopt;
  const auto port = parse_port(split->port);
  if (!port) return std::nullopt;
  return HostPort{std::string(split->host), *port};
}

std::string format_host_port(const HostPort& address) {
  const bool v6 = address.host.find(':') != std::string::npos;
  const std::string host = v6 ? '[' + address.host + ']' : address.host;
  return host + ':' + std::to_string(address.port);
}

bool is_host(std::string_view text) {
  constexpr std::size_t kMaxHostName = 253;
  const bool odd = text.find_first_of(" /[]\"") != std::string_view::npos;
  return !text.empty() && text.size() <= kMaxHostName && !odd && is_printable(text);
}

std::optional<std::string> endpoint_problem(std::string_view endpoint) {
  if (endpoint.starts_with(kIpc)) return ipc_problem(endpoint.substr(kIpc.size()));
  if (endpoint.starts_with(kTcp)) return tcp_problem(endpoint.substr(kTcp.size()));
  return "is neither ipc:///path nor tcp://ADDRESS:PORT";
}

bool is_tcp_endpoint(std::string_view endpoint) {
  return endpoint.starts_with(kTcp);
}

bool is_remote_endpoint(std::string_view endpoint) {
  if (!is_tcp_endpoint(endpoint)) return false;
  const auto split = split_host_port(endpoint.substr(kTcp.size()));
  return !split || !is_loopback(split->host);
}

std::optional<std::string> origin_problem(std::string_view origin) {
  if (origin == "*" || origin == "null" || origin == "file://") return std::nullopt;
  const std::size_t end = origin.find("://");
  const bool fits = end != std::string_view::npos && is_scheme(origin.substr(0, end)) &&
                    is_authority(origin.substr(end + 3));
  if (fits) return std::nullopt;
  return R"(is not "*" nor an origin as browsers send it: scheme://host[:port], lower case, no path)";
}

}  // namespace syncrelay::config
