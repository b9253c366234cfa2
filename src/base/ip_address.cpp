#include "syncrelay/base/ip_address.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <cstring>

namespace syncrelay {
namespace {

constexpr std::size_t kV4Offset = 12;  // bytes before an IPv4 address that is mapped
constexpr unsigned kMappedBits = 8 * kV4Offset;
constexpr unsigned kAllBits = 128;

std::optional<unsigned> parse_bits(std::string_view text) {
  unsigned bits = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), bits);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return bits;
}

}  // namespace

std::optional<IpAddress> IpAddress::parse(std::string_view text) {
  char terminated[INET6_ADDRSTRLEN] = {};
  if (text.size() >= sizeof terminated || text.find('\0') != std::string_view::npos)
    return std::nullopt;
  std::copy(text.begin(), text.end(), terminated);
  IpAddress address;
  if (inet_pton(AF_INET, terminated, address.bytes_.data() + kV4Offset) == 1) {
    address.bytes_[kV4Offset - 2] = address.bytes_[kV4Offset - 1] = 0xff;
    return address;
  }
  if (inet_pton(AF_INET6, terminated, address.bytes_.data()) == 1) return address;
  return std::nullopt;
}

bool IpAddress::is_v4() const {
  in6_addr address{};
  std::memcpy(&address, bytes_.data(), bytes_.size());
  return IN6_IS_ADDR_V4MAPPED(&address);
}

std::string IpAddress::text() const {
  char text[INET6_ADDRSTRLEN] = {};
  const bool v4 = is_v4();
  inet_ntop(v4 ? AF_INET : AF_INET6, bytes_.data() + (v4 ? kV4Offset : 0), text, sizeof text);
  return text;
}

IpAddress IpAddress::masked(unsigned bits) const {
  IpAddress kept = *this;
  for (std::size_t index = 0; index < kept.bytes_.size(); ++index) {
    const auto first = static_cast<unsigned>(8 * index);
    const unsigned here = bits <= first ? 0 : std::min(bits - first, 8U);
    kept.bytes_[index] &= static_cast<std::uint8_t>(0xff00U >> here);
  }
  return kept;
}

Result<IpNetwork, std::string> IpNetwork::parse(std::string_view text) {
  const std::size_t slash = std::min(text.find('/'), text.size());
  const auto address = IpAddress::parse(text.substr(0, slash));
  if (!address) return std::string("is neither an IP address nor a network such as 10.0.0.0/8");
  if (slash == text.size()) return IpNetwork(*address, kAllBits);
  // Behind dotted decimal the prefix counts 32 bits; behind a mapped address all 128.
  const bool dotted = text.substr(0, slash).find(':') == std::string_view::npos;
  const unsigned least = !dotted && address->is_v4() ? kMappedBits : 0;
  const unsigned most = dotted ? kAllBits - kMappedBits : kAllBits;
  const auto bits = parse_bits(text.substr(slash + 1));
  if (!bits || *bits < least || *bits > most) {
    return "has no prefix of " + std::to_string(least) + " to " + std::to_string(most) +
           " bits behind the slash";
  }
  const unsigned all = dotted ? *bits + kMappedBits : *bits;
  if (address->masked(all) == *address) return IpNetwork(*address, all);
  return "has bits set behind its prefix: write " + address->masked(all).text() + '/' +
         std::to_string(all - (address->is_v4() ? kMappedBits : 0));
}

}  // namespace syncrelay
