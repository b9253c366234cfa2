#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace syncrelay::testing {

// What the payload of a message of permessage-deflate inflates to, for a client that has set aside
// 2^window_bits bytes (RFC 7692 section 7.2.2); nullopt: it does not. By zlib, and nothing of ours.
std::optional<std::string> inflated(std::string_view payload, int window_bits = 12);

// The payload of a message that a client deflates.
std::string deflated(std::string_view text);

}  // namespace syncrelay::testing
