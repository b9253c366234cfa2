#pragma once

#include <cstddef>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "syncrelay/channel/channel_table.h"
#include "syncrelay/channel/channels.h"
#include "syncrelay/channel/window_count.h"
#include "syncrelay/post/letter.h"
#include "syncrelay/post/update.h"
#include "syncrelay/relay/subscriber_counts.h"

namespace syncrelay {

// Finds the channels that are of no use to anybody any more: no state, no event in the window, no
// subscriber. It hears whatever may have ended one of the three, and notes the channel; whether all
// of them have is asked when it is to be forgotten. Relay thread only.
class IdleChannels {
 public:
  // `table` must outlive it.
  IdleChannels(ChannelTable& table, EventLog::Bounds window, std::size_t shards)
      : table_(table), window_(window), subscribers_(shards) {}

  // A part of a batch that is published now.
  void hear(const Update& part);
  // The channel is about to be gone.
  void forget(const Channel& channel) { window_.forget(channel); }
  // So many clients of this shard follow the channel now.
  void hear(std::size_t shard, const Subscribers& subscribers);
  // A channel that an earlier life of the log left.
  void note(std::string_view name);

  const SubscriberCounts& subscribers() const { return subscribers_; }
  bool empty() const { return noted_.empty(); }

  // What can be forgotten now, at most `max`; those stay noted until they are gone. Others are
  // noted no more.
  std::vector<Forget> forgettable(std::size_t max);

  // Where there is no room for more channels: those that have nothing but events in the window, at
  // most `max`. Looks at all channels.
  std::vector<Forget> spare(std::size_t max) const;

 private:
  ChannelTable& table_;
  WindowCount window_;
  SubscriberCounts subscribers_;
  std::set<std::string, std::less<>> noted_;
  std::vector<ChannelName> left_;  // the window
};

}  // namespace syncrelay
