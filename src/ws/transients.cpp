#include "syncrelay/ws/transients.h"

#include <algorithm>
#include <utility>

namespace syncrelay {

void Transients::enter(Transient& transient, std::string network, TimePoint now,
                       TimePoint deadline) {
  transient.slot_ = static_cast<std::uint32_t>(all_.size());
  all_.push_back({&transient, now, deadline, std::move(network)});
}

void Transients::leave(Transient& transient) {
  if (transient.slot_ == Transient::kNowhere) return;
  const std::uint32_t slot = std::exchange(transient.slot_, Transient::kNowhere);
  if (slot + 1 != all_.size()) {
    all_[slot] = std::move(all_.back());
    all_[slot].who->slot_ = slot;
  }
  all_.pop_back();
}

Transient* Transients::surplus(const Transient& newest) const {
  const std::string& own = all_[newest.slot_].network;
  if (bounds_.per_network > 0 && !own.empty() && count(own) > bounds_.per_network)
    return oldest_of(own);
  if (all_.size() <= bounds_.all) return nullptr;
  const std::string_view network = majority();
  return !network.empty() && count(network) > all_.size() / 2 ? oldest_of(network) : oldest();
}

std::vector<Transient*> Transients::overdue(TimePoint now) const {
  std::vector<Transient*> late;
  for (const Place& one : all_) {
    if (one.deadline <= now) late.push_back(one.who);
  }
  return late;
}

std::size_t Transients::count(std::string_view network) const {
  const auto of_it = [network](const Place& one) { return one.network == network; };
  return static_cast<std::size_t>(std::count_if(all_.begin(), all_.end(), of_it));
}

// Precondition: there is one.
Transient* Transients::oldest() const {
  const auto earlier = [](const Place& left, const Place& right) {
    return left.entered < right.entered;
  };
  return std::min_element(all_.begin(), all_.end(), earlier)->who;
}

Transient* Transients::oldest_of(std::string_view network) const {
  const Place* found = nullptr;
  for (const Place& one : all_) {
    if (one.network == network && (found == nullptr || one.entered < found->entered)) found = &one;
  }
  return found == nullptr ? nullptr : found->who;
}

// The network that more than half belong to, where there is one (Boyer and Moore's vote).
// Precondition: there is a transient.
std::string_view Transients::majority() const {
  std::string_view candidate;
  std::size_t lead = 0;
  for (const Place& one : all_) {
    if (lead == 0) candidate = one.network;
    lead += one.network == candidate ? 1 : -1;
  }
  return candidate;
}

}  // namespace syncrelay
