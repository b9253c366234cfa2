#pragma once

#include <string>
#include <string_view>

namespace syncrelay {

// What counts as one address where connections of an address are counted: an IPv6 host has a whole
// /64 to choose from (RFC 4291 section 2.5.4), so that counts as one; an IPv4 address is itself,
// mapped into IPv6, too. `address`: as text, without a port; what is none is its own network.
std::string network_of(std::string_view address);

}  // namespace syncrelay
