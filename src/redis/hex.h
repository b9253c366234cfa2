#pragma once

#include <charconv>
#include <cstdint>
#include <optional>
#include <random>
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

inline std::uint64_t random_number() {
  std::random_device device;
  return std::uint64_t{device()} << 32 | device();
}

}  // namespace syncrelay
