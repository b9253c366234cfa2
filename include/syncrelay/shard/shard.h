#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "syncrelay/base/clock.h"
#include "syncrelay/base/mailbox.h"
#include "syncrelay/base/result.h"
#include "syncrelay/channel/replica.h"
#include "syncrelay/metrics/stats.h"
#include "syncrelay/post/outbox.h"
#include "syncrelay/protocol/close_cause.h"
#include "syncrelay/shard/chronicle.h"
#include "syncrelay/shard/grants.h"
#include "syncrelay/shard/identities.h"
#include "syncrelay/shard/running_time.h"
#include "syncrelay/shard/session.h"
#include "syncrelay/shard/snapshot_cache.h"
#include "syncrelay/shard/snapshot_turns.h"
#include "syncrelay/shard/speakers.h"
#include "syncrelay/shard/subscriptions.h"
#include "syncrelay/shard/visits.h"

namespace syncrelay {

// Serves one thread's share of the connections from a replica of its own. All but the mailbox is
// its thread's only.
//
// A pass takes in what came and visits those who follow a channel that got something. Before that
// each session with several followers is told which of them that is, so that it writes in the order
// of the log; what is taken in during a pass such a session writes in the next one, and one with a
// single follower at once.
//
// A client that keeps up is never moved to a snapshot: between two visits to a session at most two
// thirds of the window are taken in, or one single step of any size; and while a session waits for
// its turns to write a snapshot, the log keeps what it will go on with. So are events before the
// end of a channel: it stays until those who follow it were visited. What is for single clients is
// dealt with at the end of the pass that visits them with the events before it.
class Shard {
 public:
  struct Settings {
    std::vector<std::string> state_keys;
    EventLog::Bounds window;
    KeepaliveSettings keepalive;
    std::string epoch;
    SubscriptionRules subscriptions = {};
    SpeechRules speech = {};
    std::size_t number = 1;  // of the shard, as stories tell it
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
  // The connection is gone; `code`: of its close frame. Not to be called from within a Transport's
  // methods.
  void remove(Session& session, Farewell farewell = Farewell::lost,
              std::uint16_t code = static_cast<std::uint16_t>(CloseCode::abnormal));

  // What a client says. Session::answer() has to follow when all that came at once is heard.
  void hear(Session& session, ClientMessage message);

  // Whether a newer token is to be looked at now; if not, the client is told.
  bool may_renew(Session& session, const TokenMessage& message);
  // The same as hear() for one that was: what it grants, or why it is not taken; null: nobody asks
  // for tokens here.
  void hear(Session& session, const TokenMessage& message,
            Result<std::shared_ptr<const Access>, RefusedMessage> granted);

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
  void begin_visits();
  void run_pass();
  void end_pass();
  void end_dropped();
  bool take_in_one(bool whatever_size);
  bool fits(const Update& step) const;
  void answer(const Inquiry& inquiry) const;
  void take_private();
  void tell_connected(const Session& session);
  void tell_disconnected(const Session& session, std::uint16_t code);
  void dismiss(const Dismissal& dismissal);
  void tell_story(const StoryInquiry& inquiry);
  void begin_story(Session& session, const ClientRequest& request) const;
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
  Identities identities_;
  Subscriptions subscriptions_;
  Speakers speakers_;
  Grants grants_;
  Chronicle chronicle_;
  RunningTime time_;
  std::vector<Pick> picks_;
  Deflation deflation_;
  const SessionContext context_;
  std::vector<std::unique_ptr<Session>> sessions_;
  std::vector<Letter> incoming_;  // taken from the mailbox, from next_incoming_ on not yet applied
  std::size_t next_incoming_ = 0;
  Visits visits_;                 // of this pass
  std::size_t ending_ = 0;        // of Replica::dropped(): end with this pass
  std::vector<Letter> private_;   // to single clients, not dealt with yet
  std::size_t private_due_ = 0;   // of them: with this pass
  std::uint64_t pass_bytes_ = 0;  // taken in during this pass
  std::uint64_t pass_events_ = 0;
  bool behind_ = false;  // something was taken in that some session was not visited after
  // Positions in the log:
  std::uint64_t noted_until_ = 0;      // where it ended when the pass began
  std::uint64_t observed_ = 0;         // what begins before is in the histogram
  std::uint64_t held_checked_at_ = 0;  // the log's end
};

}  // namespace syncrelay
