#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace syncrelay {

// Appends `text` (valid UTF-8) as JSON string with its quotes, escaping what RFC 8259 section 7
// demands and no more.
void append_json_string(std::string& out, std::string_view text);

// The same as a string of its own.
std::string json_string(std::string_view text);

// The first byte at or after `from` that is not JSON white space; json.size() when there is none.
inline std::size_t skip_space(std::string_view json, std::size_t from) {
  while (from < json.size() &&
         (json[from] == ' ' || json[from] == '\t' || json[from] == '\n' || json[from] == '\r')) {
    ++from;
  }
  return from;
}

}  // namespace syncrelay
