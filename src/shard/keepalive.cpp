#include "syncrelay/shard/keepalive.h"

namespace syncrelay {

Keepalive::Keepalive(const KeepaliveSettings& settings, Duration heartbeat, TimePoint now,
                     TimePoint clock)
    : settings_(settings),
      heartbeat_(heartbeat),
      received_at_(clock),
      next_ping_(now + settings.ping_interval),
      next_heartbeat_(now + heartbeat) {}

void Keepalive::note_heartbeat(TimePoint now) {
  if (heartbeat_ <= Duration::zero() || now < next_heartbeat_) return;
  next_heartbeat_ = now + heartbeat_;
  heartbeat_due_ = true;
}

Keepalive::Pace Keepalive::judge_pace(bool blocked) {
  const bool was_slow = blocked_ticks_ == kSlowTicks;
  if (!blocked) {
    blocked_ticks_ = 0;
    return was_slow ? Pace::caught_up : Pace::same;
  }
  if (was_slow) return Pace::same;
  return ++blocked_ticks_ == kSlowTicks ? Pace::slow : Pace::same;
}

std::optional<CloseCause> Keepalive::judge(const RunningTime& time, bool blocked,
                                           const Transport& transport) {
  if (blocked) {
    if (const auto cause = check_stall(time, transport)) return cause;
  }
  if (ping_deadline_ == kNone || time.heard() < ping_deadline_) return std::nullopt;
  return check_ping(time.now(), transport);
}

std::optional<CloseCause> Keepalive::check_stall(const RunningTime& time,
                                                 const Transport& transport) {
  const std::uint64_t taken = transport.delivery().acknowledged;
  if (stall_deadline_ == kNone || taken > acknowledged_at_stall_) {
    stall_deadline_ = time.now() + settings_.stall_timeout;
    acknowledged_at_stall_ = taken;
  } else if (time.heard() >= stall_deadline_) {
    return CloseCause::stalled;
  }
  return std::nullopt;
}

// A peer that is still taking what was sent before the ping, on a slow link or being slow itself,
// is alive.
std::optional<CloseCause> Keepalive::check_ping(TimePoint now, const Transport& transport) {
  const Transport::Delivery delivery = transport.delivery();
  if (!delivery.pending || delivery.acknowledged <= acknowledged_at_ping_)
    return CloseCause::ping_timeout;
  acknowledged_at_ping_ = delivery.acknowledged;
  ping_deadline_ = now + settings_.ping_timeout;
  return std::nullopt;
}

bool Keepalive::begin_ping(TimePoint now, const Transport& transport) {
  if (now < next_ping_) return false;
  next_ping_ = now + settings_.ping_interval;
  if (ping_deadline_ != kNone) return false;
  ping_deadline_ = now + settings_.ping_timeout;
  acknowledged_at_ping_ = transport.delivery().acknowledged;
  return true;
}

}  // namespace syncrelay
