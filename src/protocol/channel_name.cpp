#include "syncrelay/protocol/channel_name.h"

#include <algorithm>

#include "syncrelay/protocol/limits.h"

namespace syncrelay {
namespace {

bool is_channel_byte(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
         std::string_view("_.:~-@/").find(c) != std::string_view::npos;
}

bool consists_of_channel_bytes(std::string_view text) {
  return text.size() <= kMaxChannelBytes && std::all_of(text.begin(), text.end(), is_channel_byte);
}

bool matches(std::string_view pattern, std::string_view name) {
  if (pattern.empty() || pattern.back() != '*') return name == pattern;
  pattern.remove_suffix(1);
  return name.substr(0, pattern.size()) == pattern;
}

}  // namespace

bool is_channel_name(std::string_view text) {
  return !text.empty() && consists_of_channel_bytes(text);
}

bool is_channel_pattern(std::string_view text) {
  if (!text.empty() && text.back() == '*')
    return consists_of_channel_bytes(text.substr(0, text.size() - 1));
  return is_channel_name(text);
}

bool is_identity(std::string_view text) {
  return !text.empty() && text.size() <= kMaxIdentityBytes &&
         text.find('@') == std::string_view::npos && consists_of_channel_bytes(text);
}

bool ChannelPatterns::match(std::string_view name) const {
  if (is_personal(name)) return false;
  return std::any_of(patterns_.begin(), patterns_.end(),
                     [name](const std::string& pattern) { return matches(pattern, name); });
}

}  // namespace syncrelay
