#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "syncrelay/base/clock.h"
#include "syncrelay/base/mailbox.h"
#include "syncrelay/channel/replica.h"
#include "syncrelay/metrics/stats.h"
#include "syncrelay/post/outbox.h"
#include "syncrelay/shard/running_time.h"
#include "syncrelay/shard/session.h"
#include "syncrelay/shard/snapshot_cache.h"
#include "syncrelay/shard/snapshot_turns.h"

namespace syncrelay {

// Serves one thread's share of the connections from a replica of its own. All but the mailbox is
// its thread's only.
//
// A client that keeps up is never moved to a snapshot: between two visits to a session at most two
// thirds of the window are taken in, or one single event of any size; and while a session waits for
// its turns to write a snapshot, the log keeps what it will go on with.
class Shard {
 public:
  struct Settings {
    std::vector<std::string> state_keys;
    EventLog::Bounds window;
    KeepaliveSettings keepalive;
    std::string epoch;
  };

  // `wake` is called from the relay's thread and the shard's: run() is due on the shard's. `clock`,
  // `stats` and `outbox` must outlive the shard.
  Shard(const Settings& settings, const Clock& clock, ShardStats& stats, Outbox& outbox,
        std::function<void()> wake);

  // Thread-safe: where the relay posts.
  Mailbox<Letter>& letters() { return letters_; }

  // See Replica::restore().
  void restore(const Restored& restored);

  // A connection was accepted; its first message is written before this returns, or in turns by
  // run() when it is a large snapshot. `transport` must outlive the session.
  Session& add(ConnectionId id, Transport& transport, const ClientRequest& request);
  // The connection is gone. Not to be called from within a Transport's methods.
  void remove(Session& session);

  // Takes in what the relay posted and writes it to every client, then a bounded piece of the
  // snapshots that are on their way. True when there is more to do: call it again after other work
  // had its turn.
  bool run();

  // To be called several times a second.
  void tick();

  // Whether every client has been written all there is.
  bool drained() const;
  void close_all(CloseCause cause);

  std::size_t size() const { return sessions_.size(); }

 private:
  bool run_passes();
  bool begin_pass();
  void run_pass();
  bool take_in_one(bool whatever_size);
  void answer(const Inquiry& inquiry) const;
  void observe_fanout();
  void bound_held_chunks();
  void close_readers(const Snapshot& snapshot);

  const Settings settings_;
  const Clock& clock_;
  ShardStats& stats_;
  Outbox& outbox_;
  Mailbox<Letter> letters_;
  Replica replica_;
  SnapshotCache snapshots_;
  SnapshotTurns turns_;
  RunningTime time_;
  const SessionContext context_;
  std::vector<std::unique_ptr<Session>> sessions_;
  std::vector<Letter> incoming_;  // taken from the mailbox, from next_incoming_ on not yet applied
  std::size_t next_incoming_ = 0;
  std::uint64_t pass_bytes_ = 0;  // taken in during this pass
  std::uint64_t pass_events_ = 0;
  bool behind_ = false;  // something was taken in that some session was not visited after
  Seq pass_end_{1};      // events before this one were there when the pass began
  Seq observed_{1};      // events before this one are in the histogram
  std::uint64_t held_checked_at_ = 0;  // position of the log's end
};

}  // namespace syncrelay
