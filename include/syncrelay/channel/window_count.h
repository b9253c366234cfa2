#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "syncrelay/base/ring.h"
#include "syncrelay/channel/channel.h"
#include "syncrelay/channel/event_log.h"

namespace syncrelay {

// Which channels have events in the window, by the bounds of the shards' logs: those may hold a few
// more for a while, never fewer. It tells each by Channel::in_window, and holds none of them. Relay
// thread only.
class WindowCount {
 public:
  explicit WindowCount(EventLog::Bounds bounds) : bounds_(bounds) {}

  // The newest event, of `bytes`, of a channel that stays where it is until forget(); null: of one
  // that is not counted: the default channel, or one that is gone. Channels that have none any more
  // for it are added to `left`.
  void add(Channel* channel, std::size_t bytes, std::vector<ChannelName>& left);

  // The channel is about to be gone.
  void forget(const Channel& channel);

 private:
  // A channel with events in the window; its number + 1 is in Channel::in_window.
  struct Place {
    Channel* channel = nullptr;  // null: it is gone
    std::uint32_t events = 0;    // 0: the place is free
  };
  struct Entry {
    std::uint32_t place = 0;  // its number + 1; 0: not counted
    std::size_t bytes = 0;
  };

  std::uint32_t place_of(Channel& channel);
  void pop_oldest(std::vector<ChannelName>& left);

  const EventLog::Bounds bounds_;
  Ring<Entry> entries_;  // oldest first
  std::vector<Place> places_;
  std::vector<std::uint32_t> free_;  // places, by their number + 1
  std::uint64_t bytes_ = 0;
};

}  // namespace syncrelay
