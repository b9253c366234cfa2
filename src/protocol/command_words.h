#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "protocol/command_members.h"
#include "syncrelay/base/utf8.h"
#include "syncrelay/json/json_text.h"
#include "syncrelay/protocol/channel_name.h"
#include "syncrelay/protocol/limits.h"

namespace syncrelay {

// As a rejection shows it to a person: short and escaped.
inline std::string quoted(std::string_view text) {
  constexpr std::size_t kShown = 64;
  std::string out;
  append_json_string(out, cut_at_character(text, kShown));
  if (text.size() > kShown) out += "…";
  return out;
}

inline std::string quoted(Member member) {
  return quoted(info(member).name);
}

// Whether it can be a key or a type.
inline bool is_name(std::string_view text) {
  return !text.empty() && text.size() <= kMaxNameBytes;
}

// Whether it can be a channel, the default one too.
inline bool is_channel(std::string_view text) {
  return text.empty() || is_channel_name(text);
}

}  // namespace syncrelay
