#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace syncrelay {

// How what is damaged is named to people.

// A key or name may be damaged itself: what is not printable ASCII stands as its code.
inline std::string shown(std::string_view key) {
  constexpr std::size_t kShown = 64;
  constexpr char kDigits[] = "0123456789abcdef";
  std::string text = "\"";
  for (const char c : key.substr(0, kShown)) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte < 0x7F && c != '"' && c != '\\') {
      text += c;
    } else {
      text.append("\\x").append({kDigits[byte / 16], kDigits[byte % 16]});
    }
  }
  return text + (key.size() > kShown ? "…\"" : "\"");
}

// Behind what belongs to the channel; nothing for the default one.
inline std::string of_channel(std::string_view channel) {
  return channel.empty() ? "" : " of channel " + shown(channel);
}

inline std::string value_of_key(std::string_view channel, std::string_view key) {
  return "the value of key " + shown(key) + of_channel(channel) + " (table state)";
}

inline std::string member_shown(std::string_view channel, std::string_view id) {
  return "member " + shown(id) + of_channel(channel) + " (table members)";
}

inline std::string event_span(std::uint64_t first, std::uint64_t count) {
  return "events " + std::to_string(first) + " to " +
         std::to_string(first + count - (count > 0 ? 1 : 0));
}

inline std::string ids_of_batch(std::string_view table, std::uint64_t batch) {
  return "the " + std::string(table) + " of batch " + std::to_string(batch) + " (table " +
         std::string(table) + ")";
}

inline std::string rows_missing(std::string_view table) {
  return "table " + std::string(table) + " has not the rows that it had";
}

inline constexpr char kDamagedPosition[] = "the position (table position)";

}  // namespace syncrelay
