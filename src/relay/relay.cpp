#include "syncrelay/relay/relay.h"

#include <algorithm>
#include <chrono>
#include <memory>
#include <set>
#include <utility>

#include "syncrelay/base/crash_point.h"
#include "syncrelay/protocol/frame.h"

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

// The one whose position the answer has, see Outcome.
std::string_view answering_channel(const Command& command) {
  if (!command.commands.empty()) return answering_channel(command.commands.back());
  if (!command.channels.empty()) return command.channels.front();
  return command.channel_name();
}

}  // namespace

Relay::Relay(const Settings& settings, const Clock& clock, std::vector<Mailbox<Letter>*> shards,
             RelayStats& stats, Store* store)
    : clock_(clock),
      shards_(std::move(shards)),
      stats_(stats),
      store_(store),
      channels_(settings.channels),
      ids_(settings.ids),
      inbox_(settings.inbox, stats),
      notices_(stats),
      idle_(channels_.table(), settings.window, shards_.size()),
      presence_(settings.presence, channels_.table(), shards_.size()),
      batch_(settings.window.bytes, clock),
      running_since_(clock.now()) {
  show_numbers();
}

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

std::optional<StoredHistory> Relay::history(WallTime now) const {
  if (!batch_.empty()) return std::nullopt;
  StoredHistory history;
  history.last = last();
  history.events_ever = events_ever_;
  history.version = channels().version();
  history.tombstones = channels().tombstones();
  tell(channels().main(), now, history);
  for (const auto& [name, channel] : channels().by_name()) {
    history.channels.push_back(
        {std::string(name), channel->start, channel->last, channel->generation});
    tell(*channel, now, history);
  }
  ids_.for_each([&](const std::string& id, Seq seq, Duration accepted) {
    history.ids.push_back({id, seq, accepted});
  });
  history.dead = presence_.dead();
  return history;
}

void Relay::tell(const Channel& channel, WallTime now, StoredHistory& history) const {
  const std::string name(text(channel.name));
  channel.state.for_each([&](const State::Entry& entry) {
    StoredValue value{entry.value, entry.version};
    if (const auto end = timers_.of(name, entry.key)) {
      using std::chrono::ceil;
      const Duration left = std::max(end->at - clock_.now(), Duration::zero());
      const auto microseconds = ceil<std::chrono::microseconds>(left);
      value.expiry = Expiry{{now.microseconds + microseconds.count()},
                            ceil<std::chrono::milliseconds>(left),
                            end->told};
    }
    history.state[name].emplace(entry.key, std::move(value));
  });
  const auto value_of = [](const State& state, std::string_view id) {
    const StateValue* const value = state.find(id);
    return value == nullptr ? nullptr : *value;
  };
  channel.members.get().for_each([&](const State::Entry& entry) {
    history.members[name].push_back({name, entry.key, entry.value,
                                     value_of(channel.wills.get(), entry.key),
                                     value_of(channel.homes.get(), entry.key)});
  });
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

Result<Accepted, Rejection> Relay::apply(const Command& command, const Moment& moment) {
  if (auto known = repetition(command, moment)) return *std::move(known);
  batch_.begin_step(moment.ts);
  Result<Outcome, Rejection> applied = channels_.apply(command, moment.ts, batch_);
  if (!applied) {
    batch_.take_back_step();
    return applied.error();
  }
  batch_.end_step();
  batch_.count(command);
  if (!command.id.empty()) stage_id(command.id, applied.value().position.seq, time_of(moment));
  return Accepted{std::move(applied).value()};
}

std::optional<Accepted> Relay::repetition(const Command& command, const Moment& moment) {
  if (command.id.empty()) return std::nullopt;
  const auto known = ids_.find(command.id, time_of(moment));
  if (!known) return std::nullopt;
  stats_.duplicates.add();
  Accepted accepted;
  const std::string_view name = answering_channel(command);
  if (!name.empty()) accepted.outcome.channel = std::make_shared<const std::string>(name);
  accepted.outcome.position = channels().position_of(name);
  accepted.outcome.position.seq = known->seq;
  accepted.duplicate = true;
  accepted.stored = !known->staged;
  return accepted;
}

void Relay::apply(const Expire& expire, const Moment& moment) {
  batch_.begin_step(moment.ts);
  if (channels_.apply(expire, moment.ts, batch_)) batch_.count_expired();
  batch_.end_step();
}

void Relay::apply(const Forget& forget, const Moment& moment) {
  batch_.begin_step(moment.ts);
  channels_.apply(forget, batch_);
  batch_.end_step();
}

void Relay::apply(const Arrive& arrive, const Moment& moment) {
  batch_.begin_step(moment.ts);
  const Arrival arrival = channels_.apply(arrive, moment.ts, batch_);
  batch_.end_step();
  presence_.hear(arrive, clock_.now());
  if (arrival == Arrival::joined && moment.own) {
    Notice notice{WorkerEvent::joined, moment.ts};
    notice.id = arrive.id;
    notice.channel = arrive.channel;
    notice.info = arrive.info;
    notices_.stage(std::move(notice));
  }
  if (arrival == Arrival::refused && moment.own && presence_.refuse(arrive, clock_.now()))
    stats_.members_refused.add();
}

Departure Relay::apply(const Depart& depart, const Moment& moment) {
  batch_.begin_step(moment.ts);
  Departure departure = channels_.apply(depart, moment.ts, batch_);
  if (departure.had_will) batch_.count_will(!departure.will_refused);
  batch_.end_step();
  if (departure.left && moment.own) {
    Notice notice{WorkerEvent::left, moment.ts};
    notice.id = depart.id;
    notice.channel = depart.channel;
    notices_.stage(std::move(notice));
  }
  return departure;
}

// Without a store nothing is taken back, and which ids are known hangs on the order alone: relays
// that share one do not make the same batches of it.
void Relay::stage_id(const std::string& id, Seq seq, Duration accepted) {
  ids_.stage(id, seq, accepted);
  batch_.add_id({id, seq, accepted});
  if (store_ == nullptr) ids_.keep_staged();
}

std::vector<Forget> Relay::spare_channels(std::size_t max) {
  constexpr Duration kBetween = std::chrono::seconds(1);
  if (!channels_.full() || clock_.now() < next_spare_) return {};
  next_spare_ = clock_.now() + kBetween;
  return idle_.spare(max);
}

Result<void, Rejection> Relay::publish() {
  Result<void, Rejection> stored = store_staged();
  crash_point("after_commit");
  if (stored) {
    keep();
  } else {
    take_back();
  }
  show_numbers();
  return stored;
}

Result<void, Rejection> Relay::store_staged() {
  if (store_ == nullptr || (batch_.empty() && !inbox_.has_staged())) return {};
  StoreBatch stored;
  stored.first_event = events_ever_ + 1;
  stored.ran = ran();
  batch_.fill(stored);
  add_channels(stored);
  stored.inbox = inbox_.staged();
  add_members(stored);
  Result<void, Rejection> committed = store_->commit(stored);
  batch_.give_back_ids(std::move(stored.ids));
  return committed;
}

// How the channels are behind the batch.
void Relay::add_channels(StoreBatch& stored) const {
  std::set<std::string_view> touched;
  batch_.for_each_part([&](const Update& part, const Batch::Timed*) {
    if (part.channel) touched.insert(*part.channel);
  });
  for (const std::string_view name : touched) {
    if (const Channel* const channel = channels().find(name)) {
      stored.channels.push_back(
          {std::string(name), channel->start, channel->last, channel->generation});
    } else {
      stored.gone.emplace_back(name);
    }
  }
  stored.tombstones = channels().new_tombstones();
  stored.generation = channels().tombstones().generation();
  stored.last = last();
  stored.version = channels().version();
}

// How they are behind the batch.
void Relay::add_members(StoreBatch& stored) const {
  std::set<std::pair<std::string_view, std::string_view>> touched;
  batch_.for_each_member([&](const ChannelName& channel, const std::string& id) {
    touched.emplace(text(channel), id);
  });
  const auto value_of = [](const State& state, std::string_view id) {
    const StateValue* const value = state.find(id);
    return value == nullptr ? nullptr : *value;
  };
  for (const auto& [name, id] : touched) {
    StoredMember member{std::string(name), std::string(id), nullptr, nullptr};
    if (const Channel* const channel = channels().find(name)) {
      member.value = value_of(channel->members.get(), id);
      member.will = value_of(channel->wills.get(), id);
    }
    stored.members.push_back(std::move(member));
  }
}

void Relay::keep() {
  ids_.keep_staged();
  inbox_.keep_staged();
  notices_.keep_staged();
  events_ever_ += batch_.events();
  stats_.events.add(batch_.events());
  for (std::size_t op = 0; op < batch_.commands().size(); ++op)
    stats_.commands[op].add(batch_.commands()[op]);
  stats_.expired_keys.add(batch_.expired());
  channels_.table().for_each_removed([this](const Channel& gone) { idle_.forget(gone); });
  counter(stats_.wills, WillOutcome::applied).add(batch_.wills_applied());
  counter(stats_.wills, WillOutcome::refused).add(batch_.wills_refused());
  channels_.keep();
  batch_.for_each_part([this](const Update& part, const Batch::Timed* timed) {
    if (part.end == ChannelEnd::forgotten) stats_.channels_forgotten.add();
    if (part.end > ChannelEnd::forgotten) stats_.channels_dropped.add();
    idle_.hear(part);
    presence_.hear(part, clock_.now());
    keep_times(part, timed);
  });
  batch_.for_each_unseen([this](const ChannelName& channel, const std::string& id) {
    presence_.hear(text(channel), id, clock_.now());
  });
  for (Mailbox<Letter>* shard : shards_) shard->post(batch_.letters());
  batch_.clear();
}

void Relay::take_back() {
  ids_.take_back_staged();
  inbox_.take_back_staged();
  notices_.take_back_staged();
  channels_.take_back();
  batch_.take_back();
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

Result<void, Rejection> Relay::begin_backup() {
  if (store_ != nullptr) return store_->begin_backup();
  return Rejection{RejectReason::no_storage, 0, "the relay stores nothing: it has no --data"};
}

std::size_t Relay::ask(const Letter& letter) {
  for (Mailbox<Letter>* shard : shards_) shard->post(letter);
  return shards_.size();
}

void Relay::show_numbers() {
  stats_.seq.set(last().value);
  stats_.channels.set(channels().size() + 1);
  stats_.state_keys.set(channels().keys());
  stats_.state_bytes.set(channels().bytes());
  stats_.members.set(channels().members());
  stats_.ids.set(ids_.size());
}

}  // namespace syncrelay
