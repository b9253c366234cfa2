#pragma once

#include <charconv>
#include <cstdint>
#include <string_view>

namespace syncrelay {

// The next of words that single blanks part, which is taken off; "" where there is no more.
inline std::string_view take_word(std::string_view& text) {
  const std::size_t end = text.find(' ');
  const std::string_view word = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return word;
}

// False for what is not a decimal number and nothing else.
inline bool read_number(std::string_view text, std::uint64_t& number) {
  const char* end = text.data() + text.size();
  const auto [stopped, failure] = std::from_chars(text.data(), end, number);
  return failure == std::errc() && stopped == end;
}

}  // namespace syncrelay
