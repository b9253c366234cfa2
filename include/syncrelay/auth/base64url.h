#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace syncrelay {

// The bytes that the text stands for (RFC 4648 section 5, without padding as RFC 7515 section 2
// wants it). nullopt: it is none, or not the one way to write them, with bits set that stand for
// nothing.
std::optional<std::string> decode_base64url(std::string_view text);

}  // namespace syncrelay
