#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "syncrelay/base/result.h"

namespace syncrelay::config {

enum class TomlType : std::uint8_t { string, integer, boolean };

// Strings come without quotes and escapes, the others as written, less the underscores of integers.
struct TomlScalar {
  TomlType type = TomlType::string;
  std::string text;
};

struct TomlEntry {
  std::string key;
  std::size_t line = 0;  // of the key, from 1
  bool is_array = false;
  std::vector<TomlScalar> values;  // exactly one unless is_array
};

struct TomlError {
  std::size_t line = 0;
  std::string reason;
};

// Reads the part of TOML 1.0 that a flat list of settings needs: `key = value` with bare or quoted
// keys; strings on one line, decimal and 0o integers, booleans, and arrays of these, over several
// lines if need be. What is left out (tables, dotted keys, multi-line strings, floats, dates) is an
// error that says so. A key that comes twice is an error. CLI11's reader is not used: it knows no
// line numbers, lets unfinished strings and repeated keys pass, and reads escapes differently from
// version to version.
Result<std::vector<TomlEntry>, TomlError> parse_toml(std::string_view text);

}  // namespace syncrelay::config
