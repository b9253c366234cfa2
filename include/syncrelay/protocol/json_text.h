#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace syncrelay {

// Appends `text` (valid UTF-8) as JSON string with its quotes, escaping what RFC 8259 section 7
// demands and no more.
void append_json_string(std::string& out, std::string_view text);

// The first byte at or after `from` that is not JSON white space; json.size() when there is none.
std::size_t skip_space(std::string_view json, std::size_t from);

// Whether the text is one JSON value in UTF-8, and nothing besides.
bool is_json(std::string_view text);

// The text with its numbers made small and nothing moved: for RapidJSON, which refuses to pass over
// a number that no double can hold. Text that is no JSON stays none, for the same fault at the same
// byte.
std::string with_small_numbers(std::string_view json);

}  // namespace syncrelay
