#pragma once

#include <cstdint>
#include <vector>

#include "syncrelay/base/ids.h"
#include "syncrelay/channel/tombstones.h"
#include "syncrelay/post/channel_name.h"
#include "syncrelay/post/update.h"

namespace syncrelay {

// A channel as an earlier life of the log left it, but for its state and events.
struct RestoredChannel {
  ChannelName name;  // never null: the default channel is Restored::last
  Seq last;          // its newest event
  std::uint32_t generation = 0;
};

// What brings a new replica to the point where an earlier life of the log ended.
struct Restored {
  Seq last;  // the newest event of the default channel
  std::vector<RestoredChannel> channels;
  Tombstones tombstones;
  std::vector<Update> updates;  // the states first, then the events in the window, in their order
};

}  // namespace syncrelay
