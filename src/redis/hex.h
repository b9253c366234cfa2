#pragma once

#include <sys/random.h>

#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace syncrelay {

// Sixteen lower-case hex digits.
inline std::string to_hex(std::uint64_t number) {
  std::string digits(16, '0');
  for (std::size_t at = digits.size(); at-- > 0; number >>= 4)
    digits[at] = "0123456789abcdef"[number & 15];
  return digits;
}

// Nothing for what is not sixteen hex digits.
inline std::optional<std::uint64_t> from_hex(std::string_view text) {
  std::uint64_t number = 0;
  const char* end = text.data() + text.size();
  const auto [stopped, failure] = std::from_chars(text.data(), end, number, 16);
  if (text.size() != 16 || failure != std::errc() || stopped != end) return std::nullopt;
  return number;
}

// Of the system itself: std::random_device would need a glibc that is newer than all else needs.
inline std::uint64_t random_number() {
  std::uint64_t bits = 0;
  while (getrandom(&bits, sizeof bits, 0) != sizeof bits) {
  }
  return bits;
}

}  // namespace syncrelay
