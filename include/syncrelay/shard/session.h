#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "syncrelay/base/clock.h"
#include "syncrelay/base/few.h"
#include "syncrelay/base/ids.h"
#include "syncrelay/channel/replica.h"
#include "syncrelay/metrics/stats.h"
#include "syncrelay/post/client_info.h"
#include "syncrelay/post/story.h"
#include "syncrelay/protocol/client_message.h"
#include "syncrelay/protocol/server_message.h"
#include "syncrelay/shard/deflation.h"
#include "syncrelay/shard/due_followers.h"
#include "syncrelay/shard/follower.h"
#include "syncrelay/shard/keepalive.h"
#include "syncrelay/shard/outlet.h"
#include "syncrelay/shard/running_time.h"
#include "syncrelay/shard/snapshot_cache.h"
#include "syncrelay/shard/snapshot_turns.h"
#include "syncrelay/shard/speaker.h"
#include "syncrelay/shard/transport.h"

namespace syncrelay {

// Events of one follower that are part of a write.
struct Pick {
  Follower* follower;
  Seq first;
  Run run;
};

// What a session works with; belongs to its shard and outlives it.
struct SessionContext {
  const EventLog& log;
  SnapshotCache& snapshots;
  SnapshotTurns& turns;
  const Clock& clock;
  const RunningTime& time;  // for timers and deadlines
  ShardStats& stats;
  const KeepaliveSettings& keepalive;
  const std::string& epoch;  // of the log
  // Of all that lies before this place in the log, Session::note() was told.
  const std::uint64_t& noted_until;
  std::vector<Pick>& picks;  // of the write that is being put together
  Deflation& deflation;
};

// What the client asked for in the URL; without a word: the default channel.
struct ClientRequest {
  std::optional<Duration> heartbeat;
  std::vector<SubscribeMessage> subscriptions = std::vector<SubscribeMessage>(1);
  std::string session{};                   // see Speaker; empty: none
  std::shared_ptr<const Access> access{};  // see Speaker; null: none
  bool deflates = false;                   // permessage-deflate is negotiated
  bool tls = false;                        // for its story, as is the next
  std::string proxy{};                     // through whose address it came; empty: straight
};

// One connection's protocol state: an outlet, a follower for each channel that the client follows,
// and its timers. It queues no events: whatever lies between a follower's place and the end of the
// log is what the client has still to get. With several followers it writes what comes first in the
// log, up to where another one's begins.
//
// Twelve fields: the parts, and what each shard's list of sessions needs to know of them; in front
// what each event touches. Its shard's thread only, no I/O of its own.
class Session {
 public:
  static constexpr std::size_t kMaxUntoldBytes = 64 * 1024;

  // `transport` must outlive the session. A zero heartbeat: none. `deflates`: see ClientRequest.
  Session(ConnectionId id, Transport& transport, Duration heartbeat, bool deflates,
          const SessionContext& context);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  // Who the client follows, for Subscriptions to keep. The first message of a new one is written by
  // the next pump().
  Follower* find(const ReplicaChannel& channel) const;
  // Precondition: it does not follow that channel.
  Follower& follow(ReplicaChannel& channel, Follower::Joining joining);
  // Nothing of its channel is written any more, but for the rest of a message that is half sent.
  void unfollow(Follower& follower);
  // What this one awaits does not come: writes its first message. Precondition: it awaits.
  void stop_awaiting(Follower& follower) {
    follower.stop_awaiting();
    if (due_) due_->add(follower);
    pump();
  }
  const Few<std::unique_ptr<Follower>>& followers() const { return followers_; }

  // The channel of this follower got an event. To be called for shared ones, see
  // SessionContext::noted_until.
  void note(Follower& follower) { due_->add(follower); }

  // Writes all that is due until there is nothing left, the transport takes no more, or a large
  // snapshot is next: for that the session has its turns.
  void pump();

  // The same where this follower's channel got an event, and mostly nothing else is due.
  void visit(Follower& follower) {
    while (only_follows() && write_of_one(follower)) {
    }
    if (!only_follows()) pump();
  }

  // Of the front: what a visit, and a tick, touch as long as nothing is unusual.
  static constexpr std::size_t kVisitedBytes = 72;
  static constexpr std::size_t kTickedBytes = 160;

  // A message of this client's own, behind those that were told before.
  void tell(std::string_view message) { outlet_.add_message(message); }
  // The same, but behind the events of its channels that it was noted of: where those are not
  // written yet it waits for them. bound_untold() is to follow.
  void tell_behind_events(std::string_view message);
  std::size_t untold_bytes() const {
    return outlet_.waiting_bytes() + (speaker_ ? speaker_->late.bytes() : 0);
  }
  // Closes a client that does not read what it is told, where it is told something for each wish.
  void bound_untold();

  // Made by the first call. Null: not yet.
  Speaker& speaker();
  const Speaker* known_speaker() const { return speaker_.get(); }
  // Null: the client has said none.
  Identity* identity() const { return speaker_ ? speaker_->identity : nullptr; }

  // Its turn: writes `bytes` of its snapshot, up to a fragment more, and what follows it when it
  // ends. Returns how many bytes were encoded or offered for it.
  std::size_t write_snapshot(std::size_t bytes);
  bool has_snapshot_to_write() const {
    return outlet_.snapshot() != nullptr && !outlet_.blocked() && !closing_;
  }

  // The transport takes bytes again.
  void writable();

  // The peer showed a sign of life.
  void received() { keepalive_.received(context_.clock.now()); }

  // The client asks for a heartbeat: the next answer() gives it one, behind the message that is
  // half sent, for all that it asks for until then.
  void ask_for_heartbeat() { keepalive_.ask_for_heartbeat(); }

  // All that came at once from the client is heard: writes what it is told.
  void answer();

  // To be called after every tick of the shard's time: pings, heartbeats and timeouts.
  void tick();

  // Lets go of all that it holds.
  void close(CloseCause cause);
  // Closes it with these words. False: it was about to end already.
  bool dismiss(Parting parting);

  ConnectionId id() const { return id_; }
  Transport& transport() const { return outlet_.transport(); }
  TimePoint since() const { return since_; }
  std::uint64_t bytes_sent() const { return outlet_.bytes_sent(); }
  std::uint64_t lag() const;
  ClientInfo info() const;
  // What has happened to it, for `explain`. Nothing is written of what each event does.
  void record(StoryKind kind, std::uint64_t a = 0, std::uint64_t b = 0, std::string_view text = {});
  // The same for what a client can have happen at will, see Story::count().
  void count(StoryKind kind, std::uint64_t a, std::string_view text = {});
  const Story& story() const { return story_; }
  Story take_story() { return std::move(story_); }
  bool closing() const { return closing_.has_value(); }

  // Nothing is left to write.
  bool idle() const;

  // Waits for the transport, having more to write.
  bool blocked() const { return outlet_.blocked(); }

  // Is held up by its transport, or by what it has to write before the log's events.
  bool held_up() const { return !outlet_.idle(); }

  // Its place in the shard's list; the shard's to keep.
  std::uint32_t slot = 0;
  // Whether it is in there; SnapshotTurns' to keep.
  bool waits_for_turn = false;

  // The oldest place in the log, as far as that still holds it, from which it will go on.
  std::uint64_t needed_from() const;

  // The snapshot that is on its way to this client; else null.
  const Snapshot* snapshot() const;

  // The part of the log that this client alone may hold back, being in the middle of a message;
  // else null.
  const LogChunk* held_chunk() const { return outlet_.held_chunk(); }

 private:
  // Nothing is due but events of a single channel.
  bool only_follows() const { return outlet_.idle() && !due_ && !closing_; }
  std::size_t place_of(const ReplicaChannel& channel) const;
  bool step();
  bool write_of_one(Follower& follower);
  bool write_of_several();
  void pick_runs();
  bool catch_up(Follower& follower);
  // Of a stretch of the log: what of it was offered, and where the transport stopped taking.
  struct Written {
    WireRun run;
    std::size_t bytes;
    bool all() const { return bytes == run.bytes.size(); }
  };
  Written write(const LogChunk& chunk, std::uint64_t begin, std::uint64_t end);
  static std::uint64_t position(const LogChunk& chunk, std::uint64_t begin, const Written& written);
  void stop_inside(Follower& follower, std::uint64_t position, const Written& written);
  void stop_inside_picks(std::uint64_t position, const Written& written);
  bool joins() const;
  bool owes_before(std::uint64_t place) const;
  bool has_late_answers() const { return speaker_ && !speaker_->late.empty(); }
  void tell_what_waited();
  void begin(Follower& follower);
  void begin_anew(Follower& follower);
  void begin_resume(Follower& follower, Seq after);
  void begin_snapshot(Follower& follower, SnapshotReason reason);
  void add_snapshot(Snapshot& snapshot, std::string_view end);
  void end_snapshot();
  std::chrono::milliseconds age() const;
  void record_snapshot(const ReplicaChannel& channel, SnapshotReason reason, std::uint64_t skipped);
  void record_pace(Keepalive::Pace pace);
  void send_ping();
  void send_heartbeat();

  Outlet outlet_;
  const SessionContext& context_;
  std::unique_ptr<DueFollowers> due_;  // null: there are not several followers
  std::optional<CloseCause> closing_;
  Keepalive keepalive_;
  Few<std::unique_ptr<Follower>> followers_;  // in the order of their channels' addresses
  std::unique_ptr<Speaker> speaker_;          // null: not made yet
  const ConnectionId id_;
  const TimePoint since_;
  Story story_;  // begins when the connection did
};

}  // namespace syncrelay
