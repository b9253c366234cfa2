#include "syncrelay/ws/network.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>

namespace syncrelay {

std::string network_of(std::string_view address) {
  constexpr std::ptrdiff_t kNetworkBytes = 8;
  const std::string text(address);
  in6_addr parsed{};
  if (inet_pton(AF_INET6, text.c_str(), &parsed) != 1 || IN6_IS_ADDR_V4MAPPED(&parsed)) return text;
  std::fill(std::begin(parsed.s6_addr) + kNetworkBytes, std::end(parsed.s6_addr), 0);
  std::array<char, INET6_ADDRSTRLEN> network{};
  inet_ntop(AF_INET6, &parsed, network.data(), network.size());
  return std::string(network.data()) + "/64";
}

}  // namespace syncrelay
