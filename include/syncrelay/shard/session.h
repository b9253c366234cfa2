#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "syncrelay/base/clock.h"
#include "syncrelay/base/ids.h"
#include "syncrelay/channel/replica.h"
#include "syncrelay/metrics/stats.h"
#include "syncrelay/post/client_info.h"
#include "syncrelay/protocol/frame.h"
#include "syncrelay/protocol/server_message.h"
#include "syncrelay/shard/running_time.h"
#include "syncrelay/shard/snapshot_cache.h"
#include "syncrelay/shard/snapshot_turns.h"
#include "syncrelay/shard/transport.h"

namespace syncrelay {

// When sessions act of their own accord, each timer without regard to the others. A zero
// heartbeat: none.
struct KeepaliveSettings {
  Duration ping_interval;
  Duration ping_timeout;
  Duration heartbeat;
  Duration stall_timeout;
};

// What a session works with; belongs to its shard and outlives it.
struct SessionContext {
  const Replica& replica;
  SnapshotCache& snapshots;
  SnapshotTurns& turns;
  const Clock& clock;
  const RunningTime& time;  // for timers and deadlines
  ShardStats& stats;
  const KeepaliveSettings& keepalive;
  const std::string& epoch;
};

// What the client asked for in the URL.
struct ClientRequest {
  bool wants_resume = false;  // `epoch` or `seq` was there
  std::optional<Seq>
      resume_after;  // set when both were well formed and the epoch is the current one
  std::optional<Duration> heartbeat;
};

// One connection's protocol state: a cursor into the log, and the few frames that are this client's
// own. It queues no events: whatever lies between the cursor and the end of the log is what the
// client has still to get.
//
// Invariant: between two calls everything handed to the transport ends at a frame's end. Control
// frames may go out there; a message of this client's own may only when `middle_` is empty, too.
// Its shard's thread only, no I/O of its own.
class Session {
 public:
  // `transport` must outlive the session. The first message is sent by the first pump().
  Session(ConnectionId id, Transport& transport, const ClientRequest& request,
          const SessionContext& context);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  // Writes all that is due until there is nothing left, the transport takes no more, or a large
  // snapshot is next: for that the session has its turns.
  void pump();

  // Its turn: writes `bytes` of its snapshot, up to a fragment more, and what follows it when it
  // ends. Returns how many bytes were encoded or offered for it.
  std::size_t write_snapshot(std::size_t bytes);
  bool has_snapshot_to_write() const { return snapshot_ && !blocked_ && !closing_; }

  // The transport takes bytes again.
  void writable();

  // The peer showed a sign of life.
  void received();

  // The client asks for a heartbeat: it gets one, behind the message that is half sent, for all
  // that it asks for until then.
  void asked();

  // To be called after every tick of the shard's time: pings, heartbeats and timeouts.
  void tick();

  // Lets go of all that it holds.
  void close(CloseCause cause);

  ConnectionId id() const { return id_; }
  Transport& transport() { return transport_; }
  TimePoint since() const { return since_; }
  std::uint64_t bytes_sent() const { return bytes_sent_; }
  std::uint64_t lag() const { return distance(cursor_.next, context_.replica.log().next()); }
  ClientInfo info() const;
  bool closing() const { return closing_.has_value(); }

  // Nothing is left to write.
  bool idle() const;

  // Waits for the transport, having more to write.
  bool blocked() const { return blocked_; }

  // Its place in the shard's list; the shard's to keep.
  std::size_t slot = 0;
  // Whether it is in there; SnapshotTurns' to keep.
  bool waits_for_turn = false;

  const Cursor& cursor() const { return cursor_; }

  // The snapshot that is on its way to this client; else null.
  const Snapshot* snapshot() const { return snapshot_.get(); }

  // The part of the log that this client alone may hold back, being in the middle of a message;
  // else null.
  const LogChunk* held_chunk() const { return middle_.chunk.get(); }

 private:
  // The rest of a long message of the log of which some fragments are sent; it must be ended
  // whatever the window does.
  struct Middle {
    std::shared_ptr<const LogChunk> chunk;  // null: the cursor stands between two messages
    std::uint64_t end = 0;
  };

  bool step();
  bool write_own();
  void end_snapshot();
  bool write_middle();
  bool write_events();
  void stop_inside(std::uint64_t position);
  void begin_first_message();
  void begin_snapshot(SnapshotReason reason);
  void begin_resume(Seq after);
  void append_own(std::string_view message, MessagePart part);
  PositionText position() const;
  std::size_t write(ByteSpan frames);
  std::size_t write_whole_frames(ByteSpan frames);
  void finish_frame(ByteSpan rest);
  void block();
  void check_stall();
  void check_ping();
  void send_ping();
  void send_heartbeat();

  enum class Phase : std::uint8_t { joining, live };

  const ConnectionId id_;
  Transport& transport_;
  const SessionContext& context_;
  const TimePoint since_;
  const WallTime since_wall_;
  const Duration heartbeat_;
  std::optional<Seq> resume_after_;
  bool wants_resume_;
  Phase phase_ = Phase::joining;
  bool blocked_ = false;
  std::optional<CloseCause> closing_;
  Cursor cursor_;
  Middle middle_;
  std::string own_;  // frames of this client's own that are due, from own_sent_ on
  std::size_t own_sent_ = 0;
  std::shared_ptr<Snapshot> snapshot_;  // on its way to this client, from snapshot_place_ on
  Snapshot::Place snapshot_place_;
  std::uint64_t skipped_ = 0;  // what the snapshot on its way has to admit
  std::uint64_t bytes_sent_ = 0;
  TimePoint received_at_;
  TimePoint next_ping_;
  TimePoint next_heartbeat_;
  bool heartbeat_due_ = false;
  std::optional<TimePoint> ping_deadline_;  // a ping waits for a sign of life
  std::uint64_t acknowledged_at_ping_ = 0;
  std::optional<TimePoint> stall_deadline_;  // a blocked client has until then to take a byte
  std::uint64_t acknowledged_at_stall_ = 0;
};

}  // namespace syncrelay
