#include "syncrelay/relay/receivers.h"

namespace syncrelay {

bool Receivers::add(Ticket ticket, const WorkerWish& wish, TimePoint now) {
  if (waiting_.size() >= max_) return false;
  const TimePoint until = now + wish.wait;
  waiting_.emplace(next_place_, Receiver{ticket, wish, until});
  ends_.insert({until, next_place_++});
  return true;
}

Receivers::Receiver Receivers::take_first() {
  return take(waiting_.begin()->first);
}

std::optional<Receivers::Receiver> Receivers::take_expired(TimePoint now) {
  if (ends_.empty() || ends_.begin()->first > now) return std::nullopt;
  return take(ends_.begin()->second);
}

std::optional<TimePoint> Receivers::next_end() const {
  if (ends_.empty()) return std::nullopt;
  return ends_.begin()->first;
}

Receivers::Receiver Receivers::take(std::uint64_t place) {
  Receiver receiver = std::move(waiting_.extract(place).mapped());
  ends_.erase({receiver.until, place});
  return receiver;
}

}  // namespace syncrelay
