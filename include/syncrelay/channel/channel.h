#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "syncrelay/base/ids.h"
#include "syncrelay/channel/state.h"
#include "syncrelay/post/channel_name.h"
#include "syncrelay/post/update.h"

namespace syncrelay {

// Where a channel's numbers stand: its newest event, and the epoch to which they belong, see
// Tombstones.
struct ChannelPosition {
  Seq seq;
  std::uint32_t generation = 0;
};

// One channel of the log as the relay keeps it; ChannelTable alone changes it. Relay thread only.
//
// Kept small, since there may be 100,000 of them: nothing here is allocated before it is needed.
struct Channel {
  ChannelName name;              // null: the default one
  std::uint32_t generation = 0;  // in which it was made
  std::uint32_t in_window = 0;   // events of it that lie in the window
  Seq start;                     // the position at which it was made: its events are past it
  Seq last;                      // its newest event
  State state;
  std::uint32_t slot = Update::kNoSlot;  // ChannelTable's to keep; the default one has none

  ChannelPosition position() const { return {last, generation}; }
  bool idle() const { return in_window == 0 && state.size() == 0; }
};

}  // namespace syncrelay
