#include "syncrelay/base/utf8.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>

namespace syncrelay {
namespace {

// How many bytes at the front of `text` are ASCII, rounded down to whole words.
std::size_t ascii_words(std::string_view text) {
  constexpr std::uint64_t kHighBits = 0x8080808080808080;
  std::size_t size = 0;
  std::uint64_t word = 0;
  while (text.size() - size >= sizeof word) {
    std::memcpy(&word, text.data() + size, sizeof word);
    if ((word & kHighBits) != 0) break;
    size += sizeof word;
  }
  return size;
}

}  // namespace

bool Utf8Check::add(std::string_view piece) {
  while (!piece.empty()) {
    if (due_ == Due::first) piece.remove_prefix(ascii_words(piece));
    if (piece.empty()) break;
    due_ = after(due_, static_cast<std::uint8_t>(piece.front()));
    if (due_ == Due::nothing) return false;
    piece.remove_prefix(1);
  }
  return true;
}

// The table of RFC 3629 section 4: the first byte decides how many follow and what the next one may
// be.
Utf8Check::Due Utf8Check::after_first(std::uint8_t byte) {
  if (byte < 0x80) return Due::first;
  if (byte < 0xc2 || byte > 0xf4) return Due::nothing;
  if (byte < 0xe0) return Due::last;
  if (byte == 0xe0) return Due::two_after_e0;
  if (byte == 0xed) return Due::two_after_ed;
  if (byte < 0xf0) return Due::last_two;
  if (byte == 0xf0) return Due::three_after_f0;
  return byte == 0xf4 ? Due::three_after_f4 : Due::last_three;
}

Utf8Check::Due Utf8Check::after(Due due, std::uint8_t byte) {
  struct Continuation {
    std::uint8_t low;
    std::uint8_t high;
    Due then;
  };
  static constexpr std::array<Continuation, 9> kContinuations = {{
      {1, 0, Due::nothing},
      {0x80, 0xbf, Due::first},
      {0x80, 0xbf, Due::last},
      {0x80, 0xbf, Due::last_two},
      {0xa0, 0xbf, Due::last},
      {0x80, 0x9f, Due::last},
      {0x90, 0xbf, Due::last_two},
      {0x80, 0x8f, Due::last_two},
      {1, 0, Due::nothing},
  }};
  if (due == Due::first) return after_first(byte);
  const Continuation& expected = kContinuations[static_cast<std::size_t>(due)];
  return byte >= expected.low && byte <= expected.high ? expected.then : Due::nothing;
}

std::string_view cut_at_character(std::string_view text, std::size_t size) {
  if (text.size() <= size) return text;
  std::size_t end = size;
  const auto continues = [&] { return (static_cast<std::uint8_t>(text[end]) & 0xc0) == 0x80; };
  while (end > 0 && size - end < 3 && continues()) --end;
  return text.substr(0, continues() ? size : end);
}

std::string shortened(std::string_view text, std::size_t size) {
  std::string shown(cut_at_character(text, size));
  if (text.size() > size) shown += "...";
  return shown;
}

std::string as_utf8(std::string_view text) {
  constexpr std::size_t kLongest = 4;
  std::string out;
  while (!text.empty()) {
    std::size_t size = 1;
    while (size < std::min(kLongest, text.size()) && !is_valid_utf8(text.substr(0, size))) ++size;
    const bool valid = is_valid_utf8(text.substr(0, size));
    if (!valid) size = 1;
    out += valid ? text.substr(0, size) : std::string_view("\xef\xbf\xbd");
    text.remove_prefix(size);
  }
  return out;
}

}  // namespace syncrelay
