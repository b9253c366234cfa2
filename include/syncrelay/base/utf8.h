#pragma once

#include <cstdint>
#include <string_view>

namespace syncrelay {

// Checks text that arrives in pieces for being UTF-8 (RFC 3629: no surrogates, nothing overlong,
// nothing above U+10FFFF).
class Utf8Check {
 public:
  // False as soon as the text cannot be UTF-8 any more, whatever follows.
  bool add(std::string_view piece);

  // Whether the text may end here.
  bool complete() const { return missing_ == 0; }

 private:
  bool begin_character(std::uint8_t byte);

  std::uint8_t missing_ = 0;  // continuation bytes that the character still needs
  std::uint8_t low_ = 0x80;   // what the next one may be
  std::uint8_t high_ = 0xbf;
};

inline bool is_valid_utf8(std::string_view text) {
  Utf8Check check;
  return check.add(text) && check.complete();
}

}  // namespace syncrelay
