#include "syncrelay/relay/receivers.h"

#include <algorithm>

namespace syncrelay {

bool Receivers::add(Ticket ticket, const WorkerWish& wish, TimePoint now) {
  if (waiting_.size() >= max_) return false;
  const TimePoint until = now + wish.wait;
  waiting_.emplace(next_place_, Receiver{ticket, wish, until});
  ends_.insert({until, next_place_});
  for_each(wish.events, [this](WorkerEvent event) { places(event).insert(next_place_); });
  ++next_place_;
  return true;
}

WorkerEvents Receivers::asked() const {
  WorkerEvents asked;
  for (std::size_t event = 0; event < places_.size(); ++event) {
    if (!places_[event].empty()) asked.add(static_cast<WorkerEvent>(event));
  }
  return asked;
}

std::optional<Receivers::Receiver> Receivers::take_first(WorkerEvents events) {
  std::optional<std::uint64_t> first;
  for_each(events, [&](WorkerEvent event) {
    if (places(event).empty()) return;
    const std::uint64_t place = *places(event).begin();
    first = first ? std::min(*first, place) : place;
  });
  if (!first) return std::nullopt;
  return take(*first);
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
  for_each(receiver.wish.events, [&](WorkerEvent event) { places(event).erase(place); });
  return receiver;
}

}  // namespace syncrelay
