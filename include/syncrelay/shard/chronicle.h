#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "syncrelay/base/ids.h"
#include "syncrelay/base/ring.h"
#include "syncrelay/metrics/stats.h"
#include "syncrelay/post/letter.h"
#include "syncrelay/post/story.h"

namespace syncrelay {

// The stories of a shard's connections that are gone, in the order in which they went: the newest
// of them, so that a crowd that comes and goes costs no more than that. Those who are here have
// their own. Its shard's thread only.
class Chronicle {
 public:
  static constexpr std::size_t kMaxStories = 10'000;
  static constexpr std::size_t kMaxBytes = 8 * 1024 * 1024;

  // `stats` must outlive it.
  explicit Chronicle(ShardStats& stats) : stats_(stats) {}

  // `identity`: the connection's; empty: it had none. The oldest go where there is no room.
  void add(ConnectionId id, std::string_view identity, Story story);

  // Adds those that are meant to `told`, the newest first, up to StoryInquiry::kMaxTold in all; the
  // rest is counted in it.
  void find(const StoryInquiry& inquiry, Told& told) const;

 private:
  struct Gone {
    ConnectionId id;
    std::uint64_t identity = 0;  // a hash, so that most need not be read
    Story story;
  };
  static bool is_of(const Gone& gone, const StoryInquiry& inquiry, std::uint64_t identity);
  void forget_oldest();

  ShardStats& stats_;
  Ring<Gone> gone_;
  std::size_t bytes_ = 0;
};

}  // namespace syncrelay
