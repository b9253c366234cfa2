#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "syncrelay/json/json_fault.h"

namespace syncrelay {

// What is wrong with a text that should be one JSON value in UTF-8; nothing when it is one.
std::optional<JsonFault> json_fault(std::string_view text);

// A member of an object, or an element of an array, whose name is empty.
struct JsonPart {
  std::string_view name;  // without its quotes, escapes as they stand
  std::string_view value;
};

// The parts of an object or array, in order; none of any other value. They point into `json`. Of
// text that is no JSON, those that stand before the fault.
std::vector<JsonPart> json_parts(std::string_view json);

// The value of the first member of that name; empty when there is none.
std::string_view json_member(std::string_view json, std::string_view name);

// A string's content, escapes as they stand; any other value as it is.
std::string_view without_quotes(std::string_view value);

// A string's content with its escapes resolved; empty for any other value.
std::string decoded_json_string(std::string_view value);

}  // namespace syncrelay
