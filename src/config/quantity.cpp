#include "syncrelay/config/quantity.h"

#include <array>
#include <charconv>
#include <limits>
#include <system_error>

namespace syncrelay::config {
namespace {

struct Unit {
  std::string_view name;
  std::uint64_t factor;
};

// From the largest, for format_size().
constexpr std::array<Unit, 3> kSizeUnits = {
    {{"GiB", 1ULL << 30}, {"MiB", 1ULL << 20}, {"KiB", 1ULL << 10}}};
// "ms" before "s": parsing takes the first name that the text ends with.
constexpr std::array<Unit, 4> kDurationUnits = {
    {{"h", 3'600'000}, {"m", 60'000}, {"ms", 1}, {"s", 1000}}};

std::optional<std::uint64_t> parse_base(std::string_view text, int base) {
  std::uint64_t value = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value, base);
  if (text.empty() || error != std::errc() || stop != end) return std::nullopt;
  return value;
}

std::optional<std::uint64_t> multiply(std::optional<std::uint64_t> value, std::uint64_t factor) {
  if (!value || *value > std::numeric_limits<std::uint64_t>::max() / factor) return std::nullopt;
  return *value * factor;
}

// `plain` is the factor of a number without a unit.
template <std::size_t N>
std::optional<std::uint64_t> parse_quantity(std::string_view text, const std::array<Unit, N>& units,
                                            std::uint64_t plain) {
  for (const Unit& unit : units) {
    if (!text.ends_with(unit.name)) continue;
    text.remove_suffix(unit.name.size());
    return multiply(parse_base(text, 10), unit.factor);
  }
  return multiply(parse_base(text, 10), plain);
}

}  // namespace

std::optional<std::uint64_t> parse_number(std::string_view text) {
  return parse_base(text, 10);
}

std::optional<std::uint64_t> parse_hexadecimal(std::string_view text) {
  return parse_base(text, 16);
}

std::optional<std::uint64_t> parse_octal(std::string_view text) {
  if (text.starts_with("0o")) text.remove_prefix(2);
  return parse_base(text, 8);
}

std::optional<std::uint64_t> parse_size(std::string_view text) {
  return parse_quantity(text, kSizeUnits, 1);
}

std::optional<std::chrono::milliseconds> parse_duration(std::string_view text) {
  const auto count = parse_quantity(text, kDurationUnits, 1000);
  constexpr auto kMost = static_cast<std::uint64_t>(std::chrono::milliseconds::max().count());
  if (!count || *count > kMost) return std::nullopt;
  return std::chrono::milliseconds(static_cast<std::chrono::milliseconds::rep>(*count));
}

std::string format_size(std::uint64_t bytes) {
  for (const Unit& unit : kSizeUnits) {
    if (bytes > 0 && bytes % unit.factor == 0) {
      return std::to_string(bytes / unit.factor) + std::string(unit.name);
    }
  }
  return std::to_string(bytes);
}

std::string format_duration(std::chrono::milliseconds duration) {
  const auto count = duration.count();
  if (count % 1000 != 0) return std::to_string(count) + "ms";
  if (count == 0 || count % 3'600'000 != 0) return std::to_string(count / 1000) + "s";
  return std::to_string(count / 3'600'000) + "h";
}

}  // namespace syncrelay::config
