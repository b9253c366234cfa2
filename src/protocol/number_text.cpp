#include "protocol/number_text.h"

#include <algorithm>
#include <charconv>
#include <string>
#include <system_error>

#include "syncrelay/protocol/limits.h"

namespace syncrelay {
namespace {

constexpr std::int64_t kMaxTtlMs = std::int64_t{kMaxTtlSeconds} * 1000;
constexpr int kMaxTtlDigits = 11;          // of kMaxTtlMs
constexpr int kFarExponent = 100'000'000;  // beyond what a message has digits for

// The power of ten that stands behind `e` in a number; one that is out of all reach is cut.
int exponent_of(std::string_view number) {
  const std::size_t e = number.find_first_of("eE");
  if (e == number.npos) return 0;
  std::string_view digits = number.substr(e + 1);
  const bool negative = digits.front() == '-';
  if (digits.front() == '-' || digits.front() == '+') digits.remove_prefix(1);
  int exponent = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), exponent);
  if (error != std::errc() || exponent > kFarExponent) exponent = kFarExponent;
  return negative ? -exponent : exponent;
}

}  // namespace

std::optional<std::uint64_t> whole_number(std::string_view number) {
  std::uint64_t value = 0;
  const char* const end = number.data() + number.size();
  const auto [parsed, error] = std::from_chars(number.data(), end, value);
  if (error != std::errc() || parsed != end) return std::nullopt;
  return value;
}

std::optional<std::chrono::milliseconds> ttl_of_seconds(std::string_view number) {
  if (number.front() == '-') return std::nullopt;
  const std::string_view mantissa = number.substr(0, number.find_first_of("eE"));
  const std::size_t point = std::min(mantissa.find('.'), mantissa.size());
  // As a whole number of milliseconds it has so many digits before the point.
  std::int64_t whole = static_cast<std::int64_t>(point) + exponent_of(number) + 3;
  std::int64_t ms = 0;
  bool rest = false;   // something other than 0 follows
  bool begun = false;  // behind the zeros that lead
  for (const char digit : mantissa) {
    if (digit == '.') continue;
    begun |= digit != '0';
    if (begun && whole > kMaxTtlDigits) return std::nullopt;
    if (whole > 0) {
      ms = 10 * ms + (digit - '0');
    } else {
      rest |= digit != '0';
    }
    --whole;
  }
  if (!begun) return std::nullopt;
  for (; whole > 0; --whole) ms *= 10;
  ms += rest ? 1 : 0;
  if (ms > kMaxTtlMs) return std::nullopt;
  return std::chrono::milliseconds(ms);
}

std::optional<std::chrono::milliseconds> milliseconds_of_seconds(std::string_view number) {
  const std::string_view mantissa = number.substr(0, number.find_first_of("eE"));
  if (mantissa.find_first_not_of("0.") == mantissa.npos) return std::chrono::milliseconds(0);
  return ttl_of_seconds(number);
}

}  // namespace syncrelay
