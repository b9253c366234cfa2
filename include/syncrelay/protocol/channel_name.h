#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace syncrelay {

// 1 to kMaxChannelBytes bytes of `A-Z a-z 0-9 _ . : ~ - @ /`. The empty name, which is the default
// channel, is none.
bool is_channel_name(std::string_view text);

// The channel of one identity; nobody else may follow it.
inline bool is_personal(std::string_view name) {
  return !name.empty() && name.front() == '@';
}

// Whether the text can be one of the patterns of ChannelRule: a name, or the beginning of names
// with `*` behind it, or `*` alone.
bool is_channel_pattern(std::string_view text);

// Which channels clients may follow: the default one, and those of the patterns. No pattern opens a
// personal channel. Immutable.
class ChannelRule {
 public:
  // Precondition: each is_channel_pattern().
  explicit ChannelRule(std::vector<std::string> patterns) : patterns_(std::move(patterns)) {}

  // Precondition: `name` is empty or is_channel_name().
  bool allows(std::string_view name) const;

 private:
  const std::vector<std::string> patterns_;
};

}  // namespace syncrelay
