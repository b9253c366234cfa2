#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "syncrelay/state/replica.h"

namespace syncrelay {

// The part of a `sync:full` message that is the same for every client that gets it at this point of
// the state.
struct Snapshot {
  std::string bytes;  // `{"type":"sync:full","data":{…}` : as wire fragments that await an end, or
                      // as plain text
  bool framed;  // which of the two. A small one is plain, so that each client gets it as a single
                // frame.
};

// Encodes the state once per change, however many clients want it. What slow clients hold of older
// snapshots is bounded: at the bound nobody gets another one until some of it is let go. Its
// shard's thread only.
class SnapshotCache {
 public:
  explicit SnapshotCache(std::size_t max_held_bytes) : max_held_bytes_(max_held_bytes) {}

  // The snapshot of the replica as it is now; null when the bound is reached: ask again later.
  std::shared_ptr<const Snapshot> get(const Replica& replica);

 private:
  std::size_t held_bytes();

  const std::size_t max_held_bytes_;
  std::shared_ptr<const Snapshot> current_;
  std::uint64_t version_ = 0;  // of the state that current_ shows
  std::vector<std::weak_ptr<const Snapshot>>
      older_;  // superseded ones that a client may still be reading
};

}  // namespace syncrelay
