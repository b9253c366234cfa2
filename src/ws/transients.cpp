#include "syncrelay/ws/transients.h"

#include <algorithm>
#include <iterator>
#include <unordered_map>

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
  if (bounds_.per_address > 0 && count(newest.address()) > bounds_.per_address)
    return oldest(newest.address());
  return all_.size() > bounds_.all ? oldest(most_frequent_address()) : nullptr;
}

std::vector<Transient*> Transients::overdue(TimePoint now) const {
  std::vector<Transient*> late;
  std::copy_if(all_.begin(), all_.end(), std::back_inserter(late),
               [now](const Transient* one) { return one->deadline_ <= now; });
  return late;
}

std::size_t Transients::count(std::string_view address) const {
  const auto of_it = [address](const Transient* one) { return one->address_ == address; };
  return static_cast<std::size_t>(std::count_if(all_.begin(), all_.end(), of_it));
}

Transient* Transients::oldest(std::string_view address) const {
  Transient* found = nullptr;
  for (Transient* one : all_) {
    if (one->address_ == address && (found == nullptr || one->entered_ < found->entered_))
      found = one;
  }
  return found;
}

std::string_view Transients::most_frequent_address() const {
  std::unordered_map<std::string_view, std::size_t> counts;
  std::string_view most;
  for (const Transient* one : all_) {
    if (++counts[one->address_] > counts[most]) most = one->address_;
  }
  return most;
}

}  // namespace syncrelay
