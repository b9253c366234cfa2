#include "syncrelay/base/utf8.h"

namespace syncrelay {

bool Utf8Check::add(std::string_view piece) {
  for (const char c : piece) {
    const auto byte = static_cast<std::uint8_t>(c);
    if (missing_ == 0) {
      if (!begin_character(byte)) return false;
      continue;
    }
    if (byte < low_ || byte > high_) return false;
    --missing_;
    low_ = 0x80;
    high_ = 0xbf;
  }
  return true;
}

// The table of RFC 3629 section 4: the first byte decides how many follow and what the next one may
// be.
bool Utf8Check::begin_character(std::uint8_t byte) {
  if (byte < 0x80) return true;
  if (byte < 0xc2 || byte > 0xf4) return false;
  missing_ = byte < 0xe0 ? 1 : byte < 0xf0 ? 2 : 3;
  if (byte == 0xe0) low_ = 0xa0;
  if (byte == 0xed) high_ = 0x9f;
  if (byte == 0xf0) low_ = 0x90;
  if (byte == 0xf4) high_ = 0x8f;
  return true;
}

}  // namespace syncrelay
