#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "syncrelay/base/result.h"

namespace syncrelay {

// An IP address. One of IPv4 that is mapped into IPv6 (RFC 4291 section 2.5.5.2) is the one of
// IPv4.
class IpAddress {
 public:
  // Dotted decimal, or IPv6 without brackets and zone. nullopt: it is neither.
  static std::optional<IpAddress> parse(std::string_view text);

  std::string text() const;
  bool is_v4() const;

  // The one with the same first `bits` of the 128 (IPv4 has them as mapped), and zeros behind them.
  IpAddress masked(unsigned bits) const;

  bool operator==(const IpAddress&) const = default;

 private:
  std::array<std::uint8_t, 16> bytes_{};  // IPv4: as mapped
};

// All addresses of one kind that begin with the same bits (RFC 4632, RFC 4291 section 2.3).
class IpNetwork {
 public:
  // "192.0.2.0/24", or one address, which is a network of its own. The error completes
  // "192.0.2.1/24 …".
  static Result<IpNetwork, std::string> parse(std::string_view text);

  bool contains(const IpAddress& address) const {
    return address.is_v4() == first_.is_v4() && address.masked(bits_) == first_;
  }

 private:
  IpNetwork(const IpAddress& first, unsigned bits) : first_(first), bits_(bits) {}

  IpAddress first_;
  unsigned bits_;  // of 128
};

}  // namespace syncrelay
