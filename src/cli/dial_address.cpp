#include "dial_address.h"

#include <array>
#include <string_view>
#include <utility>

namespace syncrelay {

std::string dial_host(const std::string& host) {
  if (host == "0.0.0.0") return "127.0.0.1";
  return host == "::" ? "::1" : host;
}

std::string dial_endpoint(const std::string& endpoint) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 3> kWildcards = {{
      {"tcp://0.0.0.0:", "tcp://127.0.0.1:"},
      {"tcp://*:", "tcp://127.0.0.1:"},
      {"tcp://[::]:", "tcp://[::1]:"},
  }};
  for (const auto& [wildcard, loopback] : kWildcards) {
    if (endpoint.starts_with(wildcard)) {
      return std::string(loopback) + endpoint.substr(wildcard.size());
    }
  }
  return endpoint;
}

}  // namespace syncrelay
