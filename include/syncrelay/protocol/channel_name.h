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

// The channel of `syncrelay bench`, and the type of its events. While a backend has it, which is
// while a bench runs, clients may follow it as if --open-channels named it.
inline constexpr std::string_view kBenchChannel = "syncrelay:bench";

// Whether the text can be one of the patterns of ChannelPatterns that do not mean the default
// channel only: a name, or the beginning of names with `*` behind it, or `*` alone.
bool is_channel_pattern(std::string_view text);

// The channels that an option names. The empty pattern is the default channel, which `*` means,
// too; none means a personal channel. Immutable.
class ChannelPatterns {
 public:
  ChannelPatterns() = default;
  // Precondition: each is empty or is_channel_pattern().
  explicit ChannelPatterns(std::vector<std::string> patterns) : patterns_(std::move(patterns)) {}

  // Whether one of them means the channel. Precondition: `name` is empty or is_channel_name().
  bool match(std::string_view name) const;

 private:
  std::vector<std::string> patterns_;
};

// Which channels clients may follow: the default one, and those of the patterns. Immutable.
class ChannelRule {
 public:
  // Precondition: each is_channel_pattern().
  explicit ChannelRule(std::vector<std::string> patterns) : patterns_(std::move(patterns)) {}

  // Precondition: `name` is empty or is_channel_name().
  bool allows(std::string_view name) const { return name.empty() || patterns_.match(name); }

 private:
  const ChannelPatterns patterns_;
};

// 1 to kMaxIdentityBytes bytes of the same alphabet without `@`: who a client is.
bool is_identity(std::string_view text);

}  // namespace syncrelay
