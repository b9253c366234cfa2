#include "support/memory_store.h"

#include <algorithm>

#include "syncrelay/base/bytes.h"

namespace syncrelay::testing {

Result<void, Rejection> MemoryStore::commit(const StoreBatch& batch) {
  if (refusing) return Rejection{RejectReason::storage_full, 0, "no room"};
  if (batch.first_event != history_.events_ever + 1)
    return Rejection{RejectReason::storage_failed, 0, "the batch does not follow the last one"};
  take_events(batch);
  take_changes(batch);
  take_members(batch);
  take_channels(batch);
  history_.last = batch.last;
  history_.version = batch.version;
  history_.ran = batch.ran;
  history_.ids.insert(history_.ids.end(), batch.ids.begin(), batch.ids.end());
  take_inbox(batch.inbox);
  return {};
}

void MemoryStore::take_events(const StoreBatch& batch) {
  history_.events_ever += batch.events.size();
  for (const StoredEvent& event : batch.events)
    history_.events.push_back({{{event.channel, event.seq, 1}}, std::string(as_text(event.wire))});
}

void MemoryStore::take_changes(const StoreBatch& batch) {
  for (const StoredChange& stored : batch.changes) {
    const std::string channel(text(stored.channel));
    if (stored.change == nullptr) {
      history_.state.erase(channel);
      history_.members.erase(channel);
    } else if (stored.change->value) {
      history_.state[channel][stored.change->key] = {stored.change->value, stored.change->version,
                                                     stored.expiry};
    } else {
      history_.state[channel].erase(stored.change->key);
    }
  }
}

void MemoryStore::take_members(const StoreBatch& batch) {
  for (const StoredMember& member : batch.members) {
    std::vector<StoredMember>& members = history_.members[member.channel];
    std::erase_if(members, [&](const StoredMember& each) { return each.id == member.id; });
    if (member.value) members.push_back(member);
    if (members.empty()) history_.members.erase(member.channel);
  }
}

void MemoryStore::take_channels(const StoreBatch& batch) {
  const auto forget = [this](const std::string& name) {
    std::erase_if(history_.channels, [&](const StoredChannel& each) { return each.name == name; });
  };
  for (const std::string& name : batch.gone) forget(name);
  for (const StoredChannel& channel : batch.channels) {
    forget(channel.name);
    history_.channels.push_back(channel);
  }
  Tombstones::ByHash tombstones;
  if (batch.generation == history_.tombstones.generation())
    tombstones = history_.tombstones.by_hash();
  for (const auto& [hash, last] : batch.tombstones) tombstones[hash] = last;
  history_.tombstones.restore(std::move(tombstones), batch.generation);
}

void MemoryStore::take_inbox(const InboxChanges& changes) {
  StoredInbox& inbox = history_.inbox;
  inbox.messages.insert(inbox.messages.end(), changes.said.begin(), changes.said.end());
  for (const std::uint64_t n : changes.done)
    std::erase_if(inbox.messages, [n](const InboxMessage& message) { return message.n == n; });
  inbox.refs.insert(inbox.refs.end(), changes.refs.begin(), changes.refs.end());
  inbox.next = changes.next;
  inbox.received = changes.received;
}

StoredHistory MemoryStore::history() const {
  StoredHistory history = history_;
  history.epoch = "epoch";
  std::erase_if(history.events, [&](const StoredEvents& events) {
    const StoredRun& run = events.runs.front();
    if (!run.channel) return false;
    const auto channel = std::find_if(history.channels.begin(), history.channels.end(),
                                      [&](const auto& each) { return each.name == *run.channel; });
    return channel == history.channels.end() || run.first <= channel->start;
  });
  return history;
}

}  // namespace syncrelay::testing
