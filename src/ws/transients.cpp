#include "syncrelay/ws/transients.h"

#include <algorithm>
#include <iterator>

namespace syncrelay {

void Transients::enter(Transient& transient, TimePoint now, TimePoint deadline) {
  transient.entered_ = now;
  transient.deadline_ = deadline;
  transient.slot_ = all_.size();
  all_.push_back(&transient);
}

void Transients::leave(Transient& transient) {
  if (transient.slot_ == Transient::kNowhere) return;
  all_.back()->slot_ = transient.slot_;
  all_[transient.slot_] = all_.back();
  all_.pop_back();
  transient.slot_ = Transient::kNowhere;
}

Transient* Transients::surplus(const Transient& newest) const {
  if (bounds_.per_network > 0 && count(newest.network()) > bounds_.per_network)
    return oldest_of(newest.network());
  if (all_.size() <= bounds_.all) return nullptr;
  const std::string_view network = majority();
  return count(network) > all_.size() / 2 ? oldest_of(network) : oldest();
}

std::vector<Transient*> Transients::overdue(TimePoint now) const {
  std::vector<Transient*> late;
  std::copy_if(all_.begin(), all_.end(), std::back_inserter(late),
               [now](const Transient* one) { return one->deadline_ <= now; });
  return late;
}

std::size_t Transients::count(std::string_view network) const {
  const auto of_it = [network](const Transient* one) { return one->network_ == network; };
  return static_cast<std::size_t>(std::count_if(all_.begin(), all_.end(), of_it));
}

// Precondition: there is one.
Transient* Transients::oldest() const {
  const auto earlier = [](const Transient* left, const Transient* right) {
    return left->entered_ < right->entered_;
  };
  return *std::min_element(all_.begin(), all_.end(), earlier);
}

Transient* Transients::oldest_of(std::string_view network) const {
  Transient* found = nullptr;
  for (Transient* one : all_) {
    if (one->network_ == network && (found == nullptr || one->entered_ < found->entered_))
      found = one;
  }
  return found;
}

// The network that more than half belong to, where there is one (Boyer and Moore's vote).
// Precondition: there is a transient.
std::string_view Transients::majority() const {
  std::string_view candidate;
  std::size_t lead = 0;
  for (const Transient* one : all_) {
    if (lead == 0) candidate = one->network_;
    lead += one->network_ == candidate ? 1 : -1;
  }
  return candidate;
}

}  // namespace syncrelay
