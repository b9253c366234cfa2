#pragma once

#include <string>
#include <string_view>

// ANSI escape sequences that color text on a terminal.
namespace syncrelay::color {

inline constexpr std::string_view kBold = "\x1b[1m";
inline constexpr std::string_view kDim = "\x1b[2m";
inline constexpr std::string_view kGreen = "\x1b[32m";
inline constexpr std::string_view kYellow = "\x1b[33m";
inline constexpr std::string_view kBlue = "\x1b[34m";
inline constexpr std::string_view kCyan = "\x1b[36m";
inline constexpr std::string_view kReset = "\x1b[0m";

inline std::string paint(std::string_view text, std::string_view color, bool enabled) {
  std::string out(enabled ? color : std::string_view());
  out += text;
  if (enabled) out += kReset;
  return out;
}

}  // namespace syncrelay::color
