#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "syncrelay/base/clock.h"
#include "syncrelay/base/ids.h"
#include "syncrelay/post/client_list.h"
#include "syncrelay/post/log_chunk.h"

namespace syncrelay {

// The JSON text of a state value; shared by all replicas.
using StateValue = std::shared_ptr<const std::string>;

// What a key becomes; null: the key is gone.
struct StateChange {
  std::string key;
  StateValue value;
};

using StateChanges = std::vector<StateChange>;

// What one command did: an event, a change of state, or both in one step. Immutable; the relay
// posts it to every shard.
struct Update {
  std::shared_ptr<const StateChanges> changes;  // null: none
  std::shared_ptr<const LogChunk> chunk;        // null: no event, and what follows means nothing
  Seq seq;
  std::uint64_t position = 0;  // where the event's wire bytes begin in the log
  std::size_t size = 0;        // bytes
  TimePoint accepted{};
  std::shared_ptr<ClientList>
      client_list;  // not null: no change, but a request to report the shard's clients
};

// What an update holds in memory while it waits in a mailbox, in bytes.
inline std::size_t weight(const Update& update) {
  std::size_t bytes = sizeof(Update) + update.size;
  if (update.changes) {
    for (const StateChange& change : *update.changes)
      bytes += change.key.size() + (change.value ? change.value->size() : 0);
  }
  return bytes;
}

}  // namespace syncrelay
