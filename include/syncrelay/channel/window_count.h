#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "syncrelay/base/ring.h"
#include "syncrelay/channel/channel.h"
#include "syncrelay/channel/event_log.h"

namespace syncrelay {

// Which channels have events in the window, by the bounds of the shards' logs: those may hold a few
// more for a while, never fewer. Counts in Channel::in_window. Relay thread only.
class WindowCount {
 public:
  explicit WindowCount(EventLog::Bounds bounds) : bounds_(bounds) {}

  // The newest event, of `bytes`; null: of the default channel, which is not counted. Channels that
  // have none any more for it are added to `left`.
  void add(std::shared_ptr<Channel> channel, std::size_t bytes, std::vector<ChannelName>& left);

 private:
  struct Entry {
    std::shared_ptr<Channel> channel;
    std::size_t bytes = 0;
  };

  const EventLog::Bounds bounds_;
  Ring<Entry> entries_;  // oldest first
  std::uint64_t bytes_ = 0;
};

}  // namespace syncrelay
