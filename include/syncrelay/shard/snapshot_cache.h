#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "syncrelay/channel/replica.h"
#include "syncrelay/shard/snapshot.h"

namespace syncrelay {

// One snapshot per state that any client asked for, however many clients get it. Nobody waits for
// one: where clients hold more of superseded ones than allowed, those that hold the oldest have to
// go when the next one is made. What a superseded snapshot holds is counted as what would be freed
// with it: values that the next one has, too, cost nothing. Its shard's thread only.
class SnapshotCache {
 public:
  // `let_go` makes everybody release this snapshot before it returns.
  using LetGo = std::function<void(const Snapshot&)>;

  SnapshotCache(std::size_t max_held_bytes, LetGo let_go)
      : max_held_bytes_(max_held_bytes), let_go_(std::move(let_go)) {}

  // The snapshot of the replica as it is now.
  std::shared_ptr<Snapshot> get(const Replica& replica);

  // Holds back nothing itself of a state that is not this one any more.
  void forget_all_but(std::uint64_t state_version);

  // Where fragments are encoded that are not kept.
  Snapshot::Fragment& scratch() { return scratch_; }

  // Of superseded snapshots, as of the last call of get().
  std::size_t held_bytes() const;

 private:
  struct Held {
    std::weak_ptr<const Snapshot> snapshot;
    std::size_t beyond_next = 0;  // bytes that it holds and the next one does not
  };
  void forget_released();
  void note(const std::shared_ptr<const Snapshot>& newest);
  void bound();

  const std::size_t max_held_bytes_;
  const LetGo let_go_;
  std::shared_ptr<Snapshot> current_;
  std::uint64_t version_ = 0;  // of the state that current_ shows
  std::vector<Held> held_;     // large ones that clients may be reading, from the oldest on
  Snapshot::Fragment scratch_;
};

}  // namespace syncrelay
