#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace syncrelay::config {

// Digits only: no sign, no spaces. Nothing on overflow.
std::optional<std::uint64_t> parse_number(std::string_view text);

std::optional<std::uint64_t> parse_hexadecimal(std::string_view text);

// "0660", "660" or "0o660".
std::optional<std::uint64_t> parse_octal(std::string_view text);

// A whole number of bytes, or one with KiB, MiB or GiB.
std::optional<std::uint64_t> parse_size(std::string_view text);

// A whole number of seconds, or one with ms, s, m or h.
std::optional<std::chrono::milliseconds> parse_duration(std::string_view text);

// Text that the parsers above turn back into the value, in the largest unit that keeps it whole (no
// minutes).
std::string format_size(std::uint64_t bytes);
std::string format_duration(std::chrono::milliseconds duration);

}  // namespace syncrelay::config
