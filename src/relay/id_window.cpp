#include "syncrelay/relay/id_window.h"

namespace syncrelay {

std::optional<IdWindow::Known> IdWindow::find(std::string_view id, Duration now) const {
  const auto found = index_.find(id);
  if (found == index_.end() || now - found->second.accepted > bounds_.age) return std::nullopt;
  return Known{found->second.seq, found->second.staged};
}

// What is too old is known to nobody any more, so it may go before the batch is decided.
void IdWindow::stage(std::string_view id, Seq seq, Duration accepted) {
  while (order_.size() > staged_ && accepted - order_.front()->second.accepted > bounds_.age)
    forget_oldest();
  const auto [entry, added] = index_.emplace(std::string(id), Entry{seq, accepted, true});
  if (!added) return;
  order_.push_back(&*entry);
  ++staged_;
}

void IdWindow::keep_staged() {
  for (; staged_ > 0; --staged_) order_[order_.size() - staged_]->second.staged = false;
  while (order_.size() > bounds_.ids) forget_oldest();
}

void IdWindow::take_back_staged() {
  for (; staged_ > 0; --staged_) {
    index_.erase(index_.find(order_.back()->first));
    order_.pop_back();
  }
}

void IdWindow::forget_oldest() {
  index_.erase(index_.find(order_.front()->first));
  order_.pop_front();
}

}  // namespace syncrelay
