#include "syncrelay/ws/network.h"

#include "syncrelay/base/ip_address.h"

namespace syncrelay {

std::string network_of(std::string_view address) {
  constexpr unsigned kNetworkBits = 64;
  const auto parsed = IpAddress::parse(address);
  if (!parsed) return std::string(address);
  if (parsed->is_v4()) return parsed->text();
  return parsed->masked(kNetworkBits).text() + "/64";
}

}  // namespace syncrelay
