#include "syncrelay/base/printable.h"

#include <cstddef>
#include <cstdint>
#include <cstdio>

namespace syncrelay {
namespace {

struct Character {
  std::uint32_t code;
  std::size_t bytes;
};

// With the code of characters of up to three bytes; of longer ones, and of bytes that are no
// character, only their number counts.
Character character_at(std::string_view text, std::size_t at) {
  constexpr std::uint32_t kOther = 0xfffd;
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[at + i]) & 0xffU; };
  const std::size_t left = text.size() - at;
  const std::uint32_t lead = byte(0);
  if (lead < 0x80) return {lead, 1};
  if (lead >= 0xc2 && lead < 0xe0 && left >= 2) {
    return {(lead & 0x1fU) << 6U | (byte(1) & 0x3fU), 2};
  }
  if (lead >= 0xe0 && lead < 0xf0 && left >= 3) {
    return {(lead & 0x0fU) << 12U | (byte(1) & 0x3fU) << 6U | (byte(2) & 0x3fU), 3};
  }
  return {kOther, lead >= 0xf0 && left >= 4 ? 4U : 1U};
}

// Control characters, those that reorder text that is written from right to left, and those that
// end a line.
bool is_command(std::uint32_t code) {
  const bool control = code < 0x20 || (code >= 0x7f && code < 0xa0);
  const bool ends_line = code == 0x2028 || code == 0x2029;
  const bool reorders = (code >= 0x202a && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069);
  return control || reorders || ends_line;
}

}  // namespace

std::string printable(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const Character character = character_at(text, at);
    if (is_command(character.code)) {
      char escape[8];
      std::snprintf(escape, sizeof escape, "\\u%04x", static_cast<unsigned>(character.code));
      out += escape;
    } else {
      out += text.substr(at, character.bytes);
    }
    at += character.bytes;
  }
  return out;
}

}  // namespace syncrelay
