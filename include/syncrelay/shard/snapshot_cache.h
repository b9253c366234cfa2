#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "syncrelay/channel/replica.h"
#include "syncrelay/shard/snapshot.h"

namespace syncrelay {

// One snapshot per state that any client asked for, however many clients get it, of the channels
// that were asked for last. Nobody waits for one: where clients hold more of superseded ones than
// allowed, those that hold the oldest have to go when the next one is made, of whatever channel.
// What a superseded snapshot holds is counted as what would be freed with it: values that the next
// one of its channel has, too, or else its state, cost nothing. Its shard's thread only.
class SnapshotCache {
 public:
  // Of as many channels a snapshot is kept for the next client; only of one, if large, its text.
  static constexpr std::size_t kChannels = 8;

  // `let_go` makes everybody release this snapshot before it returns. `replica` must outlive it.
  using LetGo = std::function<void(const Snapshot&)>;

  SnapshotCache(const Replica& replica, std::size_t max_held_bytes, LetGo let_go)
      : replica_(replica), max_held_bytes_(max_held_bytes), let_go_(std::move(let_go)) {}

  // The snapshot of this channel as it is now.
  std::shared_ptr<Snapshot> get(const ReplicaChannel& channel);

  // Holds back nothing itself of states that are not there any more.
  void forget_superseded();

  // Where fragments are encoded that are not kept.
  Snapshot::Fragment& scratch() { return scratch_; }

  // Of superseded snapshots, as of the last time that one was made.
  std::size_t held_bytes() const;

 private:
  struct Current {
    std::shared_ptr<Snapshot> snapshot;
    ChannelName channel;
    std::uint64_t version = 0;  // of the state that it shows
  };
  struct Held {
    std::weak_ptr<const Snapshot> snapshot;
    ChannelName channel;
    std::uint64_t version = 0;
    std::uint64_t next_version = 0;  // that beyond_next was counted against
    std::size_t beyond_next = 0;     // bytes that it holds and the next one does not
  };

  // What a channel holds, or a snapshot of it.
  struct Content {
    std::uint64_t version = 0;
    const State* state = nullptr;  // null: nothing
    const State* members = nullptr;
  };

  void put_first(Current current);
  void keep_text_of_first();
  void forget_released();
  void count_held();
  static void count(Held& held, const Content& next);
  void bound();

  const Replica& replica_;
  const std::size_t max_held_bytes_;
  const LetGo let_go_;
  std::vector<Current> current_;  // the one that was asked for last in front
  std::vector<Held> held_;        // large ones that clients may be reading, from the oldest on
  Snapshot::Fragment scratch_;
};

}  // namespace syncrelay
