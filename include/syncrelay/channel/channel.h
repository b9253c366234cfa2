#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "syncrelay/base/ids.h"
#include "syncrelay/channel/rare.h"
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

// What a channel holds by name: the state's keys, and of each member's id what clients see of it
// (member.h), its will, as the JSON text of a batch, and its homes (homes.h) where relays share an
// order.
enum class Shelf : std::uint8_t { state, members, wills, homes };

// One channel of the log as the relay keeps it; ChannelTable alone changes it. Relay thread only.
//
// Kept small, since there may be 100,000 of them: nothing here is allocated before it is needed.
struct Channel {
  ChannelName name;              // null: the default one
  std::uint32_t generation = 0;  // in which it was made
  std::uint32_t in_window = 0;   // WindowCount's; 0: no event of it lies in the window
  Seq start;                     // the position at which it was made: its events are past it
  Seq last;                      // its newest event
  State state;
  Rare<State> members;
  Rare<State> wills;                     // of members only
  Rare<State> homes;                     // of members only; without an entry: that of kAlone
  std::uint32_t slot = Update::kNoSlot;  // ChannelTable's to keep; the default one has none

  ChannelPosition position() const { return {last, generation}; }
  bool empty() const { return state.size() == 0 && members.get().size() == 0; }
  bool idle() const { return in_window == 0 && empty(); }

  const State& on(Shelf shelf) const {
    switch (shelf) {
      case Shelf::state:
        return state;
      case Shelf::members:
        return members.get();
      case Shelf::wills:
        return wills.get();
      default:
        return homes.get();
    }
  }
  State& on(Shelf shelf) {
    switch (shelf) {
      case Shelf::state:
        return state;
      case Shelf::members:
        return members.make();
      case Shelf::wills:
        return wills.make();
      default:
        return homes.make();
    }
  }
};

}  // namespace syncrelay
