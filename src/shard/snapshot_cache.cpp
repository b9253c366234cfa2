#include "syncrelay/shard/snapshot_cache.h"

#include <algorithm>
#include <unordered_map>
#include <utility>

namespace syncrelay {

std::shared_ptr<Snapshot> SnapshotCache::get(const ReplicaChannel& channel) {
  const auto is_it = [&](const Current& current) {
    return current.version == channel.state_version;
  };
  const auto found = std::find_if(current_.begin(), current_.end(), is_it);
  if (found != current_.end()) {
    std::rotate(current_.begin(), found, found + 1);
    keep_text_of_first();
    return current_.front().snapshot;
  }
  forget_superseded();
  put_first({std::make_shared<Snapshot>(channel.state, text(channel.name)), channel.name,
             channel.state_version});
  forget_released();
  const Current& made = current_.front();
  if (made.snapshot->plain().empty())  // no client holds a small one
    held_.push_back({made.snapshot, made.channel, made.version});
  count_held();
  bound();
  return current_.front().snapshot;
}

void SnapshotCache::put_first(Current current) {
  if (current_.size() == kChannels) {
    current_.back().snapshot->retire();
    current_.pop_back();
  }
  current_.insert(current_.begin(), std::move(current));
  keep_text_of_first();
}

// Of the large ones: a small one has none to keep.
void SnapshotCache::keep_text_of_first() {
  if (!current_.front().snapshot->plain().empty()) return;
  for (std::size_t index = 1; index < current_.size(); ++index) current_[index].snapshot->retire();
  current_.front().snapshot->keep();
}

void SnapshotCache::forget_superseded() {
  const auto superseded = [this](Current& current) {
    const ReplicaChannel* const channel = replica_.find(text(current.channel));
    if (channel != nullptr && channel->state_version == current.version) return false;
    current.snapshot->retire();
    return true;
  };
  current_.erase(std::remove_if(current_.begin(), current_.end(), superseded), current_.end());
}

void SnapshotCache::forget_released() {
  const auto released = [](const Held& held) { return held.snapshot.expired(); };
  held_.erase(std::remove_if(held_.begin(), held_.end(), released), held_.end());
}

// Each against the next one of its channel; the newest of a channel against its state, whole when
// the channel is gone.
void SnapshotCache::count_held() {
  static const State kNothing;
  std::unordered_map<std::string_view, std::pair<std::uint64_t, const State*>> next;
  for (auto held = held_.rbegin(); held != held_.rend(); ++held) {
    const std::string_view name = text(held->channel);
    const auto [behind, newest] = next.try_emplace(name, 0, &kNothing);
    if (newest) {
      if (const ReplicaChannel* const channel = replica_.find(name))
        behind->second = {channel->state_version, &channel->state};
    }
    count(*held, behind->second.first, *behind->second.second);
    const auto snapshot = held->snapshot.lock();
    if (snapshot) behind->second = {held->version, &snapshot->state()};
  }
}

void SnapshotCache::count(Held& held, std::uint64_t next_version, const State& next) {
  if (held.next_version == next_version && next_version != 0) return;
  held.next_version = next_version;
  const auto snapshot = held.snapshot.lock();
  const bool superseded = next_version != held.version;
  held.beyond_next = snapshot && superseded ? snapshot->state().bytes_beyond(next) : 0;
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
