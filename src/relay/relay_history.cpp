// Where a relay goes on from, what others go on from, and the times of keys.

#include <algorithm>
#include <chrono>
#include <memory>
#include <utility>

#include "syncrelay/protocol/frame.h"
#include "syncrelay/relay/relay.h"

namespace syncrelay {
namespace {

// Neither a clock that was set nor a long time without the relay makes a key last longer than it
// was to last.
Duration left_of(const Expiry& expiry, WallTime now) {
  const std::chrono::microseconds left(expiry.at.microseconds - now.microseconds);
  return std::clamp<Duration>(left, Duration::zero(), expiry.after);
}

WallTime end_of(const Batch::Timed& timed) {
  const std::chrono::microseconds after(timed.lifetime.after);
  return {timed.ts.microseconds + after.count()};
}

}  // namespace

Restored Relay::restore(const StoredHistory& history) {
  Restored restored;
  restored.last = history.last;
  restored.tombstones = history.tombstones;
  channels_.restore(history.tombstones, history.version);
  restore_channels(history, restored);
  restore_events(history, restored);
  restore_times(history);
  running_since_ = clock_.now() - history.ran;
  restore_ids(history);
  inbox_.restore(history.inbox);
  for (const RelayId relay : history.dead) presence_.hear(Gone{relay}, clock_.now());
  events_ever_ = history.events_ever;
  show_numbers();
  return restored;
}

std::optional<HistoryCopy> Relay::copy_history(WallTime now) const {
  if (!batch_.empty()) return std::nullopt;
  HistoryCopy copy;
  copy.now = now;
  copy.last = last();
  copy.events_ever = events_ever_;
  copy.version = channels().version();
  copy.tombstones = channels().tombstones();
  copy.channels.reserve(1 + channels().size());
  copy.channels.push_back(channels().main());
  for (const auto& [name, channel] : channels().by_name()) copy.channels.push_back(*channel);
  const TimePoint here = clock_.now();
  copy.ends.reserve(timers_.size());
  timers_.for_each([&](std::uint64_t version, Timers::End end) {
    copy.ends.push_back({version, end.at - here, end.told});
  });
  constexpr std::size_t kIdBytes = 40;  // of most: a UUID
  copy.ids.reserve(ids_.size());
  copy.id_texts.reserve(ids_.size() * kIdBytes);
  ids_.for_each([&](const std::string& id, Seq seq, Duration accepted) {
    copy.ids.push_back({static_cast<std::uint32_t>(id.size()), seq, accepted});
    copy.id_texts += id;
  });
  copy.dead = presence_.dead();
  return copy;
}

void Relay::restore_channels(const StoredHistory& history, Restored& restored) {
  restore_channel({nullptr, 0, 0, Seq{0}, history.last, {}, {}, {}, {}}, history, restored);
  for (const StoredChannel& stored : history.channels) {
    auto name = std::make_shared<const std::string>(stored.name);
    restored.channels.push_back({name, stored.last, stored.generation});
    restore_channel(
        {std::move(name), stored.generation, 0, stored.start, stored.last, {}, {}, {}, {}}, history,
        restored);
  }
}

void Relay::restore_channel(Channel channel, const StoredHistory& history, Restored& restored) {
  Update update;
  StateChanges changes;
  if (const auto values = history.state.find(std::string(text(channel.name)));
      values != history.state.end()) {
    for (const auto& [key, value] : values->second)
      changes.push_back({key, value.value, value.version});
    channel.state.apply(changes);
  }
  restore_members(channel, history, update);
  if (StateValue list = channels_.first_list(channel)) {
    changes.push_back({channels_.members_key(), std::move(list)});
    channel.state.apply({changes.back()});
  }
  if (!changes.empty()) update.changes = std::make_shared<const StateChanges>(std::move(changes));
  channels_.restore(channel);
  presence_.restore(channel, clock_.now());
  if (!update.changes && !update.members) return;
  update.channel = channel.name;
  update.seq = channel.last;
  restored.updates.push_back(std::move(update));
}

void Relay::restore_members(Channel& channel, const StoredHistory& history, Update& update) const {
  const auto found = history.members.find(std::string(text(channel.name)));
  if (found == history.members.end()) return;
  StateChanges members;
  for (const StoredMember& member : found->second) {
    members.push_back({member.id, member.value});
    if (member.will) channel.wills.make().set(member.id, member.will);
    if (member.homes) channel.homes.make().set(member.id, member.homes);
  }
  channel.members.make().apply(members);
  update.members = std::make_shared<const StateChanges>(std::move(members));
}

// Channels that turn out to be idle then have not been forgotten in time.
void Relay::restore_events(const StoredHistory& history, Restored& restored) {
  for (const StoredEvents& events : history.events) {
    ByteSpan wire = as_bytes(events.wire);
    for (const StoredRun& run : events.runs) {
      for (std::uint64_t index = 0; index < run.count; ++index) {
        const std::size_t size = message_end(wire);
        restored.updates.push_back(
            batch_.restore(run.channel, {run.first.value + index}, wire.first(size)));
        idle_.hear(restored.updates.back());
        wire = wire.subspan(size);
      }
    }
  }
  for (const RestoredChannel& channel : restored.channels) idle_.note(*channel.name);
}

void Relay::restore_times(const StoredHistory& history) {
  const WallTime wall = clock_.wall();
  for (const auto& [channel, values] : history.state) {
    for (const auto& [key, value] : values) {
      if (!value.expiry) continue;
      timers_.set(channel, key, value.version, value.expiry->told,
                  clock_.now() + left_of(*value.expiry, wall));
    }
  }
}

void Relay::restore_ids(const StoredHistory& history) {
  for (const IdRecord& record : history.ids) ids_.stage(record.id, record.seq, record.accepted);
  ids_.keep_staged();
}

void Relay::keep_times(const Update& part, const Batch::Timed* timed) {
  if (timed == nullptr && timers_.empty()) return;
  const std::string_view channel = text(part.channel);
  if (part.end != ChannelEnd::none) timers_.end_all(channel);
  if (!part.changes) return;
  for (const StateChange& change : *part.changes) {
    if (timed == nullptr) {
      timers_.end(channel, change.key);
    } else {
      Duration left = timed->lifetime.after;
      if (replay_until_) left = left_of({end_of(*timed), timed->lifetime.after}, *replay_until_);
      timers_.set(channel, change.key, change.version, timed->lifetime.told, clock_.now() + left);
    }
  }
}

}  // namespace syncrelay
