#include "syncrelay/json/small_numbers.h"

#include <algorithm>
#include <cstddef>

namespace syncrelay {
namespace {

bool is_digit(std::string_view text, std::size_t at) {
  return at < text.size() && text[at] >= '0' && text[at] <= '9';
}

std::size_t skip_digits(std::string_view text, std::size_t from) {
  while (is_digit(text, from)) ++from;
  return from;
}

// Behind the string whose opening quote is at `from`.
std::size_t skip_string(std::string_view text, std::size_t from) {
  std::size_t at = from + 1;
  while (at < text.size() && text[at] != '"') at += text[at] == '\\' ? 2 : 1;
  return std::min(at + 1, text.size());
}

// Turns 123.5e67 into 1.000e00, as far as it is a number; returns where it ends.
std::size_t make_small(std::string& text, std::size_t from) {
  const auto zero = [&text](std::size_t begin, std::size_t end) {
    std::fill(text.begin() + static_cast<std::ptrdiff_t>(begin),
              text.begin() + static_cast<std::ptrdiff_t>(end), '0');
  };
  const std::size_t integer_end = text[from] == '0' ? from + 1 : skip_digits(text, from);
  std::size_t end = integer_end;
  if (end < text.size() && text[end] == '.' && is_digit(text, end + 1)) {
    end = skip_digits(text, end + 1);
  }
  if (integer_end - from > 2) {
    text[from + 1] = '.';
    zero(from + 2, end);
  }
  if (end == text.size() || (text[end] != 'e' && text[end] != 'E')) return end;
  const bool has_sign = end + 1 < text.size() && (text[end + 1] == '+' || text[end + 1] == '-');
  const std::size_t exponent = end + (has_sign ? 2 : 1);
  const std::size_t exponent_end = skip_digits(text, exponent);
  zero(exponent, exponent_end);
  return exponent_end;
}

}  // namespace

std::string with_small_numbers(std::string_view json) {
  std::string text(json);
  for (std::size_t at = 0; at < text.size();) {
    if (text[at] == '"') {
      at = skip_string(text, at);
    } else {
      at = is_digit(text, at) ? make_small(text, at) : at + 1;
    }
  }
  return text;
}

}  // namespace syncrelay
