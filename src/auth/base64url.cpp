#include "syncrelay/auth/base64url.h"

#include <cstdint>

namespace syncrelay {
namespace {

constexpr unsigned kBits = 6;  // that a character stands for

std::optional<std::uint32_t> value_of(char c) {
  constexpr std::uint32_t kLower = 26, kDigit = 52, kMinus = 62, kUnderscore = 63;
  if (c >= 'A' && c <= 'Z') return static_cast<std::uint32_t>(c - 'A');
  if (c >= 'a' && c <= 'z') return kLower + static_cast<std::uint32_t>(c - 'a');
  if (c >= '0' && c <= '9') return kDigit + static_cast<std::uint32_t>(c - '0');
  if (c == '-') return kMinus;
  if (c == '_') return kUnderscore;
  return std::nullopt;
}

}  // namespace

std::optional<std::string> decode_base64url(std::string_view text) {
  std::string bytes;
  bytes.reserve(text.size() * kBits / 8);
  std::uint32_t waiting = 0;  // bits that make no whole byte yet, the lowest `count`
  unsigned count = 0;
  for (const char c : text) {
    const auto value = value_of(c);
    if (!value) return std::nullopt;
    waiting = (waiting << kBits) | *value;
    count += kBits;
    if (count < 8) continue;
    count -= 8;
    bytes.push_back(static_cast<char>(waiting >> count));
    waiting &= (1U << count) - 1;
  }
  if (count == kBits || waiting != 0) return std::nullopt;
  return bytes;
}

}  // namespace syncrelay
