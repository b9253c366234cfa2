#pragma once

#include <cstdint>
#include <optional>

#include "syncrelay/base/clock.h"
#include "syncrelay/protocol/close_cause.h"
#include "syncrelay/shard/running_time.h"
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

// When a client is pinged and gets its heartbeat, and when it is given up. Writes nothing and reads
// no clock. Its shard's thread only.
class Keepalive {
 public:
  // `settings` must outlive it. `heartbeat`: of this client.
  Keepalive(const KeepaliveSettings& settings, Duration heartbeat, TimePoint now, TimePoint clock);

  // The peer showed a sign of life, at this time of the clock.
  void received(TimePoint clock) {
    ping_deadline_ = kNone;
    received_at_ = clock;
  }
  TimePoint received_at() const { return received_at_; }

  // The transport of a blocked one takes bytes again.
  void took_bytes() { stall_deadline_ = kNone; }

  // To be called after every tick of the shard's time: why the client is to be given up, if it is.
  // A blocked one has a time to take a byte, a pinged one to show a sign of life.
  std::optional<CloseCause> judge(const RunningTime& time, bool blocked,
                                  const Transport& transport);

  // Whether the client takes what it is sent; to be called at every tick. `slow`, once, where it
  // was blocked at each tick of a second; `caught_up`, once, where it is not any more.
  enum class Pace : std::uint8_t { same, slow, caught_up };
  Pace judge_pace(bool blocked);

  // Notes at a tick that the heartbeat's time has come; or that the client asks for one.
  void note_heartbeat(TimePoint now);
  void ask_for_heartbeat() { heartbeat_due_ = true; }
  bool heartbeat_due() const { return heartbeat_due_; }
  void sent_heartbeat() { heartbeat_due_ = false; }

  // Whether a ping is to go out now, which is taken as done. Precondition: it can.
  bool begin_ping(TimePoint now, const Transport& transport);

 private:
  static constexpr std::uint8_t kSlowTicks = 5;  // a second from the first to the last
  static constexpr TimePoint kNone = TimePoint::max();

  std::optional<CloseCause> check_stall(const RunningTime& time, const Transport& transport);
  std::optional<CloseCause> check_ping(TimePoint now, const Transport& transport);

  const KeepaliveSettings& settings_;
  const Duration heartbeat_;
  TimePoint received_at_;
  TimePoint next_ping_;
  TimePoint next_heartbeat_;
  TimePoint ping_deadline_ = kNone;  // a ping waits for a sign of life
  std::uint64_t acknowledged_at_ping_ = 0;
  TimePoint stall_deadline_ = kNone;  // a blocked client has until then to take a byte
  std::uint64_t acknowledged_at_stall_ = 0;
  bool heartbeat_due_ = false;
  std::uint8_t blocked_ticks_ = 0;  // one after the other, up to kSlowTicks
};

}  // namespace syncrelay
