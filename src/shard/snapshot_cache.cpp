#include "syncrelay/shard/snapshot_cache.h"

#include <utility>

namespace syncrelay {

std::shared_ptr<Snapshot> SnapshotCache::get(const Replica& replica) {
  forget_all_but(replica.state_version());
  if (current_) return current_;
  current_ = std::make_shared<Snapshot>(replica.state());
  version_ = replica.state_version();
  forget_released();
  note(current_);
  bound();
  return current_;
}

void SnapshotCache::forget_all_but(std::uint64_t state_version) {
  if (!current_ || version_ == state_version) return;
  current_->retire();
  current_ = nullptr;
}

void SnapshotCache::forget_released() {
  std::vector<Held> left;
  bool gap = false;  // the one before was released
  for (Held& held : held_) {
    const auto snapshot = held.snapshot.lock();
    if (snapshot && gap && !left.empty()) {
      if (const auto before = left.back().snapshot.lock())
        left.back().beyond_next = before->state().bytes_beyond(snapshot->state());
    }
    gap = !snapshot;
    if (snapshot) left.push_back(std::move(held));
  }
  held_ = std::move(left);
}

void SnapshotCache::note(const std::shared_ptr<const Snapshot>& newest) {
  if (!held_.empty()) {
    if (const auto last = held_.back().snapshot.lock())
      held_.back().beyond_next = last->state().bytes_beyond(newest->state());
  }
  if (newest->plain().empty()) held_.push_back({newest});  // no client holds a small one
}

void SnapshotCache::bound() {
  while (held_bytes() > max_held_bytes_) {
    if (const auto oldest = held_.front().snapshot.lock()) let_go_(*oldest);
    held_.erase(held_.begin());
  }
}

std::size_t SnapshotCache::held_bytes() const {
  std::size_t bytes = 0;
  for (const Held& held : held_) bytes += held.beyond_next;
  return bytes;
}

}  // namespace syncrelay
