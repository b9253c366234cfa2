#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "syncrelay/base/clock.h"
#include "syncrelay/base/ids.h"
#include "syncrelay/post/channel_name.h"
#include "syncrelay/post/log_chunk.h"

namespace syncrelay {

// The JSON text of a state value; shared by all replicas.
using StateValue = std::shared_ptr<const std::string>;

// What a key becomes; null: the key is gone.
struct StateChange {
  std::string key;
  StateValue value;
  std::uint64_t version = 0;  // of the new value; see State::Entry
};

using StateChanges = std::vector<StateChange>;

// What becomes of the channel itself.
enum class ChannelEnd : std::uint8_t {
  none,       // it goes on
  forgotten,  // it has no state, no event in the window and, as far as the relay knows, no
              // subscribers
  made_room,  // the same, but that events of it are in the window: who comes for them gets a
              // snapshot
  dropped,    // as a backend commanded: its state and log go, its subscribers are told
};

// What one letter did in one channel: an event, a change of state or members, or both in one step;
// or that the channel is gone. Immutable; the relay posts it to every shard.
struct Update {
  static constexpr std::uint32_t kNoSlot = UINT32_MAX;

  ChannelName channel;
  // Of all that the relay has, only this channel has this slot, until an update ends it; kNoSlot:
  // the default channel, or not told. A short way to what a reader keeps of the channel.
  std::uint32_t slot = kNoSlot;
  ChannelEnd end = ChannelEnd::none;
  std::shared_ptr<const StateChanges> changes;  // null: none
  std::shared_ptr<const StateChanges> members;  // by id; null: none
  std::shared_ptr<const LogChunk> chunk;        // null: no event, and what follows means nothing
  Seq seq;
  std::uint64_t position = 0;  // where the event's wire bytes begin in the log
  std::size_t size = 0;        // bytes
  TimePoint accepted{};
  // The further parts of a step that has several (a batch, a broadcast to a list of channels), in
  // order; they have none themselves. Nobody may see one part without the others. Null: none.
  std::shared_ptr<const std::vector<Update>> also;
};

// What an update holds in memory while it waits in a mailbox, in bytes.
std::size_t weight(const Update& update);

}  // namespace syncrelay
