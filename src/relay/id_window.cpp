#include "syncrelay/relay/id_window.h"

namespace syncrelay {

std::optional<Seq> IdWindow::find(std::string_view id, TimePoint now) const {
  const auto found = index_.find(id);
  if (found == index_.end() || now - found->second.accepted > bounds_.age) return std::nullopt;
  return found->second.seq;
}

void IdWindow::add(std::string_view id, Seq seq, TimePoint accepted) {
  evict(accepted);
  const auto [entry, added] = index_.emplace(std::string(id), Entry{seq, accepted});
  if (added) order_.push_back(&*entry);
}

void IdWindow::evict(TimePoint now) {
  while (!order_.empty() &&
         (order_.size() >= bounds_.ids || now - order_.front()->second.accepted > bounds_.age)) {
    index_.erase(index_.find(order_.front()->first));
    order_.pop_front();
  }
}

void IdWindow::forget_newest(std::size_t count) {
  for (; count > 0 && !order_.empty(); --count) {
    index_.erase(index_.find(order_.back()->first));
    order_.pop_back();
  }
}

}  // namespace syncrelay
