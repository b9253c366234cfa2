#include "syncrelay/channel/replica.h"

#include <utility>

#include "syncrelay/base/prefetch.h"

namespace syncrelay {

Replica::Replica(const std::vector<std::string>& configured_keys, EventLog::Bounds window,
                 ChannelPatterns presence)
    : presence_(std::move(presence)), log_(window) {
  default_.keeps_members = presence_.match({});
  const auto null = std::make_shared<const std::string>("null");
  for (const std::string& key : configured_keys) default_.state.set(key, null);
  default_.known = true;
  default_.state_version = ++state_versions_;
}

void Replica::apply(const Update& step) {
  apply_part(step);
  if (step.also) {
    const std::vector<Update>& parts = *step.also;
    for (std::size_t at = 0; at < parts.size(); ++at) {
      look_ahead(parts, at);
      apply_part(parts[at]);
    }
  }
  log_.end_step();
}

// What the next parts will touch is fetched meanwhile: the channel, then the end of its log.
void Replica::look_ahead(const std::vector<Update>& parts, std::size_t at) const {
  constexpr std::size_t kChannelAhead = 4;
  constexpr std::size_t kLogAhead = 2;
  const auto met = [&](std::size_t index) -> const ReplicaChannel* {
    const bool known = index < parts.size() && parts[index].slot < by_slot_.size();
    return known ? by_slot_[parts[index].slot] : nullptr;
  };
  if (const auto* const channel = met(at + kChannelAhead))
    prefetch(channel, ReplicaChannel::kVisitedBytes);
  if (const auto* const channel = met(at + kLogAhead)) channel->log.prefetch_newest();
}

void Replica::apply_part(const Update& part) {
  if (part.end != ChannelEnd::none) return end(part);
  ReplicaChannel& channel = known_channel(part);
  if (part.changes) channel.state.apply(*part.changes);
  if (part.members) channel.members.make().apply(*part.members);
  if (part.changes || part.members) channel.state_version = ++state_versions_;
  if (part.chunk) log_.append(channel.log, part);
  if (part.changes || part.members || part.chunk) add_news(channel);
}

void Replica::restore(const Restored& restored) {
  tombstones_ = restored.tombstones;
  default_.log.start_at(restored.last.next());
  for (const RestoredChannel& earlier : restored.channels) {
    ReplicaChannel& channel = make(earlier.name);
    channel.known = true;
    channel.generation = earlier.generation;
    channel.log.start_at(earlier.last.next());
  }
  for (const Update& update : restored.updates) apply(update);
  forget_news();
}

ReplicaChannel* Replica::find(std::string_view name) {
  if (name.empty()) return &default_;
  const auto found = named_.find(name);
  return found == named_.end() ? nullptr : found->get();
}

// It goes on where one of its name ended.
ReplicaChannel& Replica::make(ChannelName name) {
  ReplicaChannel& channel =
      **named_.insert(std::make_unique<ReplicaChannel>(std::move(name))).first;
  channel.keeps_members = presence_.match(*channel.name);
  channel.generation = tombstones_.generation();
  channel.log.start_at(tombstones_.last_of(*channel.name).next());
  channel.state_version = ++state_versions_;
  return channel;
}

ReplicaChannel& Replica::make_local(std::string_view name) {
  ++local_;
  return make(std::make_shared<const std::string>(name));
}

ReplicaChannel& Replica::known_channel(const Update& part) {
  if (!part.channel) return default_;
  if (part.slot < by_slot_.size() && by_slot_[part.slot] != nullptr) return *by_slot_[part.slot];
  ReplicaChannel& channel = known_by_name(part.channel);
  set_slot(part.slot, &channel);
  return channel;
}

void Replica::set_slot(std::uint32_t slot, ReplicaChannel* channel) {
  if (slot == Update::kNoSlot) return;
  if (slot >= by_slot_.size()) by_slot_.resize(slot + 1);
  by_slot_[slot] = channel;
}

ReplicaChannel& Replica::known_by_name(const ChannelName& name) {
  ReplicaChannel* channel = find(*name);
  if (channel == nullptr) {
    channel = &make(name);
    channel->known = true;
  } else if (!channel->known) {
    make_known(*channel);
  }
  return *channel;
}

// The relay has it from now on, with the numbers that one gets which is made now. They are mostly
// those that its followers were told of; else it begins anew for them.
void Replica::make_known(ReplicaChannel& channel) {
  channel.known = true;
  --local_;
  const Seq last = tombstones_.last_of(*channel.name);
  if (channel.last() == last && channel.generation == tombstones_.generation()) return;
  log_.drop(channel.log);
  channel.log.start_at(last.next());
  channel.begin = last.next();
  channel.generation = tombstones_.generation();
  ++channel.numbering;
}

void Replica::end(const Update& part) {
  set_slot(part.slot, nullptr);
  ReplicaChannel* const channel = find(text(part.channel));
  const bool resumable = part.end == ChannelEnd::forgotten;
  tombstones_.put(text(part.channel), resumable ? part.seq : part.seq.next());
  if (channel == nullptr) return;
  if (part.end == ChannelEnd::dropped) return drop(*channel);
  if (channel->followers.empty()) return erase(*channel);
  if (channel->known) ++local_;
  channel->known = false;
}

void Replica::drop(ReplicaChannel& channel) {
  if (channel.followers.empty()) return erase(channel);
  if (!channel.known) --local_;
  channel.dropped = true;
  add_news(channel);
  auto node = named_.extract(named_.find(*channel.name));
  dropped_.push_back(std::move(node.value()));
}

void Replica::release(ReplicaChannel& channel) {
  if (!channel.known && !channel.dropped && channel.followers.empty()) erase(channel);
}

void Replica::erase(ReplicaChannel& channel) {
  if (!channel.known) --local_;
  leave_news(channel);
  log_.drop(channel.log);
  named_.erase(named_.find(*channel.name));
}

void Replica::forget_dropped(std::size_t index) {
  leave_news(*dropped_[index]);
  log_.drop(dropped_[index]->log);
  dropped_.erase(dropped_.begin() + static_cast<std::ptrdiff_t>(index));
}

void Replica::add_news(ReplicaChannel& channel) {
  if (channel.news_slot != ReplicaChannel::kNoNews) return;
  channel.news_slot = static_cast<std::uint32_t>(news_.size());
  news_.push_back(&channel);
}

void Replica::leave_news(ReplicaChannel& channel) {
  if (channel.news_slot != ReplicaChannel::kNoNews) news_[channel.news_slot] = nullptr;
}

void Replica::forget_news() {
  for (ReplicaChannel* const channel : news_) {
    if (channel != nullptr) channel->news_slot = ReplicaChannel::kNoNews;
  }
  news_.clear();
}

}  // namespace syncrelay
