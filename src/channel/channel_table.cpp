#include "syncrelay/channel/channel_table.h"

#include <utility>

namespace syncrelay {

ChannelTable::ChannelTable() = default;

Channel* ChannelTable::find(std::string_view name) {
  if (name.empty()) return &main_;
  const auto found = by_name_.find(name);
  return found == by_name_.end() ? nullptr : found->second.get();
}

const Channel* ChannelTable::find(std::string_view name) const {
  return const_cast<ChannelTable*>(this)->find(name);
}

Channel* ChannelTable::find(const Update& part) {
  if (part.slot != Update::kNoSlot) return by_slot_[part.slot];
  return part.channel ? find(*part.channel) : nullptr;
}

ChannelPosition ChannelTable::position_of(std::string_view name) const {
  if (const Channel* const channel = find(name)) return channel->position();
  return {tombstones_.last_of(name), tombstones_.generation()};
}

Channel& ChannelTable::make(std::string_view name) {
  auto made = std::make_unique<Channel>();
  made->name = std::make_shared<const std::string>(name);
  made->generation = tombstones_.generation();
  made->start = made->last = tombstones_.last_of(name);
  Channel& channel = add(std::move(made));
  undo_.push_back(Made{&channel});
  return channel;
}

Channel& ChannelTable::add(std::unique_ptr<Channel> added) {
  Channel& channel = *added;
  if (free_slots_.empty()) {
    free_slots_.push_back(static_cast<std::uint32_t>(by_slot_.size()));
    by_slot_.emplace_back();
  }
  channel.slot = free_slots_.back();
  free_slots_.pop_back();
  by_slot_[channel.slot] = &channel;
  by_name_.emplace(*channel.name, std::move(added));
  return channel;
}

void ChannelTable::restore(const Channel& channel) {
  if (!channel.name) {
    uncount(main_);
    main_ = channel;
  } else {
    add(std::make_unique<Channel>(channel));
  }
  count(channel);
}

void ChannelTable::restore(Tombstones tombstones, std::uint64_t version) {
  tombstones_ = std::move(tombstones);
  version_ = version;
}

void ChannelTable::change(Channel& channel, StateChanges& changes, Shelf shelf) {
  State& state = channel.on(shelf);
  for (StateChange& change : changes) {
    const State::Entry* const entry = state.entry(change.key);
    undo_.push_back(KeyWas{&channel, shelf, change.key, entry == nullptr ? nullptr : entry->value,
                           entry == nullptr ? 0 : entry->version});
    change.version = ++version_;
    set_key(channel, shelf, change);
  }
}

void ChannelTable::set_key(Channel& channel, Shelf shelf, const StateChange& change) {
  uncount(channel);
  State& state = channel.on(shelf);
  if (change.value) {
    state.set(change.key, change.value, change.version);
  } else {
    state.erase(change.key);
  }
  count(channel);
}

void ChannelTable::count(const Channel& channel) {
  totals_.bytes += channel.state.bytes();
  totals_.keys += channel.state.size();
  totals_.members += channel.members.get().size();
  totals_.will_bytes += channel.wills.get().bytes();
}

void ChannelTable::uncount(const Channel& channel) {
  totals_.bytes -= channel.state.bytes();
  totals_.keys -= channel.state.size();
  totals_.members -= channel.members.get().size();
  totals_.will_bytes -= channel.wills.get().bytes();
}

void ChannelTable::advance(Channel& channel) {
  undo_.push_back(LastWas{&channel, channel.last});
  channel.last = channel.last.next();
}

void ChannelTable::remove(Channel& channel, Seq last) {
  const auto found = by_name_.find(*channel.name);
  uncount(channel);
  by_slot_[channel.slot] = nullptr;
  undo_.push_back(Removed{std::move(found->second)});
  by_name_.erase(found);
  bury(*channel.name, last);
}

void ChannelTable::bury(std::string_view name, Seq last) {
  Buried buried{Tombstones::hash(name), last, std::nullopt, nullptr};
  buried.before = tombstones_.find(buried.hash);
  if (tombstones_.overflows_by(name)) buried.all_before = std::make_unique<Tombstones>(tombstones_);
  tombstones_.put(name, last);
  undo_.push_back(std::move(buried));
}

void ChannelTable::rewind(const Mark& mark) {
  for (; undo_.size() > mark.changes; undo_.pop_back())
    std::visit([this](auto& change) { undo(change); }, undo_.back());
  version_ = mark.version;
}

void ChannelTable::keep() {
  for_each_removed([this](const Channel& gone) { free_slots_.push_back(gone.slot); });
  undo_.clear();
}

void ChannelTable::undo(KeyWas& was) {
  set_key(*was.channel, was.shelf, {std::move(was.key), std::move(was.value), was.version});
}

void ChannelTable::undo(LastWas& was) {
  was.channel->last = was.last;
}

// Its keys are gone already: they came after it.
void ChannelTable::undo(Made& made) {
  const std::uint32_t slot = made.channel->slot;
  free_slots_.push_back(slot);
  by_slot_[slot] = nullptr;
  by_name_.erase(by_name_.find(*made.channel->name));
}

void ChannelTable::undo(Removed& removed) {
  count(*removed.channel);
  by_slot_[removed.channel->slot] = removed.channel.get();
  const std::string_view name = *removed.channel->name;
  by_name_.emplace(name, std::move(removed.channel));
}

void ChannelTable::undo(Buried& buried) {
  if (buried.all_before) {
    tombstones_ = std::move(*buried.all_before);
  } else {
    tombstones_.put_back(buried.hash, buried.before);
  }
}

Tombstones::ByHash ChannelTable::new_tombstones() const {
  Tombstones::ByHash put;
  for (const Change& change : undo_) {
    const auto* const buried = std::get_if<Buried>(&change);
    if (buried == nullptr) continue;
    if (buried->all_before) put.clear();
    if (const auto there = tombstones_.find(buried->hash)) put[buried->hash] = *there;
  }
  return put;
}

}  // namespace syncrelay
