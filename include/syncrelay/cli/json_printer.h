#pragma once

#include <string>
#include <string_view>

#include "syncrelay/base/printable.h"  // of text that is no JSON, by the same rule

namespace syncrelay {

struct JsonStyle {
  bool indent = false;  // a line for each part, else all on one
  bool color = false;
};

// JSON for a person. Values keep their digits and escapes; characters that would command the
// terminal or reorder its text show as escapes. Precondition: json_fault() finds none.
std::string print_json(std::string_view json, JsonStyle style);

// JSON for a program: as it is, but on one line.
std::string on_a_single_line(std::string_view json);

}  // namespace syncrelay
