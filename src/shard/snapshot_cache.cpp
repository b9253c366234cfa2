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
  put_first({std::make_shared<Snapshot>(channel.state, text(channel.name),
                                        channel.keeps_members ? &channel.members.get() : nullptr),
             channel.name, channel.state_version});
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
  std::unordered_map<std::string_view, Content> next;
  for (auto held = held_.rbegin(); held != held_.rend(); ++held) {
    const std::string_view name = text(held->channel);
    const auto [behind, newest] = next.try_emplace(name);
    if (newest) {
      if (const ReplicaChannel* const channel = replica_.find(name))
        behind->second = {channel->state_version, &channel->state, &channel->members.get()};
    }
    count(*held, behind->second);
    const auto snapshot = held->snapshot.lock();
    if (snapshot) behind->second = {held->version, &snapshot->state(), &snapshot->members()};
  }
}

void SnapshotCache::count(Held& held, const Content& next) {
  static const State kNothing;
  if (held.next_version == next.version && next.version != 0) return;
  held.next_version = next.version;
  held.beyond_next = 0;
  const auto snapshot = held.snapshot.lock();
  if (!snapshot || next.version == held.version) return;
  const auto or_nothing = [](const State* state) -> const State& {
    return state == nullptr ? kNothing : *state;
  };
  held.beyond_next = snapshot->state().bytes_beyond(or_nothing(next.state)) +
                     snapshot->members().bytes_beyond(or_nothing(next.members));
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
