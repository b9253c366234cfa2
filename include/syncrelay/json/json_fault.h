#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace syncrelay {

// Why a walk over a JSON text ended before the text's end.
struct JsonFault {
  enum class Kind : std::uint8_t {
    syntax,
    not_a_number,  // NaN or Infinity
    not_utf8,
    lone_surrogate,  // half of a UTF-16 pair in a \u escape
    trailing,        // something follows the value
    too_deep,
    stopped  // by the visitor
  };

  Kind kind = Kind::syntax;
  std::size_t offset = 0;  // byte in the text
  std::string reason;      // for a person
};

}  // namespace syncrelay
