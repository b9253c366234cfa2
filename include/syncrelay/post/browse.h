#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "syncrelay/post/channel_name.h"

namespace syncrelay {

// Asks a shard for recent events of a channel, which it answers with a Browsed in the order of its
// letters.
struct Browse {
  static constexpr std::size_t kMaxBytes = 1024 * 1024;  // of events, or one that is larger

  std::uint64_t number = 0;
  ChannelName channel;
  std::optional<std::uint64_t> after = {};  // the events behind this one; nullopt: the newest ones
  std::size_t max = 1;                      // events
};

struct Browsed {
  std::uint64_t number = 0;
  std::vector<std::string> events;  // JSON objects, as clients get them, the oldest first
  std::uint64_t skipped = 0;        // that came behind `after` and are not in the window any more
  bool more = false;                // there are newer ones
};

}  // namespace syncrelay
