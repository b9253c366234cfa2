#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace syncrelay::config {

// The length of the longest prefix that is UTF-8 as RFC 3629 has it: no overlong forms, no
// surrogates.
std::size_t utf8_prefix(std::string_view text);

bool is_utf8(std::string_view text);

// No C0 control character and no DEL.
bool is_printable(std::string_view text);

// A TOML basic string with its quotes; control characters become \u escapes. Precondition:
// is_utf8().
std::string quote(std::string_view text);

// For messages: as quote(), but for any bytes (what is no UTF-8 shows as '?'), and cut at 200 of
// them.
std::string quote_for_message(std::string_view text);

// For messages and comments: as quote_for_message(), without the quotes.
std::string on_one_line(std::string_view text);

}  // namespace syncrelay::config
