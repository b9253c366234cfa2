#include "syncrelay/channel/channels.h"

#include <utility>

#include "changes.h"

namespace syncrelay {
namespace {

const KeySet kNoKeys;
const State kNoState;

template <typename T>
std::shared_ptr<const T> shared(T value) {
  return std::make_shared<const T>(std::move(value));
}

ChannelName name_of(const Channel* channel, std::string_view name) {
  if (channel != nullptr) return channel->name;
  return shared(std::string(name));
}

}  // namespace

Channels::Channels(const Settings& settings)
    : settings_(settings),
      configured_keys_(settings.state_keys.begin(), settings.state_keys.end()) {
  restore(Channel{});
}

// They are there whatever an earlier life had.
Channel Channels::with_configured_keys(Channel channel) const {
  if (channel.name) return channel;
  for (const std::string& key : configured_keys_) {
    if (channel.state.find(key) == nullptr)
      channel.state.set(key, std::make_shared<const std::string>("null"));
  }
  return channel;
}

void Channels::restore(Tombstones tombstones, std::uint64_t version) {
  table_.restore(std::move(tombstones), version);
  kept_ = table_.mark();
}

Result<Outcome, Rejection> Channels::apply(const Command& command, WallTime ts, Effects& effects) {
  const ChannelTable::Mark before = table_.mark();
  Result<Outcome, Rejection> applied = command.op == Op::batch ? apply_batch(command, ts, effects)
                                                               : apply_part(command, ts, effects);
  if (!applied) table_.rewind(before);
  return applied;
}

Result<Outcome, Rejection> Channels::apply_batch(const Command& batch, WallTime ts,
                                                 Effects& effects) {
  OutcomeParts parts;
  parts.results.reserve(batch.commands.size());
  for (const Command& command : batch.commands) {
    Result<Outcome, Rejection> applied = apply_part(command, ts, effects);
    if (!applied) {
      Rejection rejection = applied.error();
      rejection.offset = command.offset;
      rejection.index = parts.results.size();
      return rejection;
    }
    parts.results.push_back(std::move(applied).value());
  }
  const ChannelName name = parts.results.empty() ? nullptr : parts.results.back().channel;
  return Outcome{name, table_.position_of(text(name)), nullptr, shared(std::move(parts))};
}

Result<Outcome, Rejection> Channels::apply_part(const Command& command, WallTime ts,
                                                Effects& effects) {
  if (command.op == Op::drop) return drop(command, effects);
  if (!command.channels.empty()) return apply_to_list(command, ts, effects);
  return apply_to(command.channel_name(), command, ts, effects);
}

Result<Outcome, Rejection> Channels::apply_to_list(const Command& broadcast, WallTime ts,
                                                   Effects& effects) {
  OutcomeParts parts;
  parts.positions.reserve(broadcast.channels.size());
  for (const std::string& name : broadcast.channels) {
    Result<Outcome, Rejection> applied = apply_to(name, broadcast, ts, effects);
    if (!applied) return applied;
    parts.positions.push_back(std::move(applied).value());
  }
  const Outcome first = parts.positions.front();
  return Outcome{first.channel, first.position, nullptr, shared(std::move(parts))};
}

Result<Outcome, Rejection> Channels::apply_to(std::string_view name, const Command& command,
                                              WallTime ts, Effects& effects) {
  Channel* channel = table_.find(name);
  const State& state = channel == nullptr ? kNoState : channel->state;
  if (auto conflict = check_expected(command, state)) return *std::move(conflict);
  Result<StateChanges, Rejection> changes =
      changes_of(command, state, name.empty() ? configured_keys_ : kNoKeys);
  if (!changes) return changes.error();
  if (auto rejection = check_room(state, changes.value())) return *std::move(rejection);
  Effect effect;
  if (!changes.value().empty() || makes_event(command)) {
    const Result<Channel*, Rejection> there = channel_for(name);
    if (!there) return there.error();
    channel = there.value();
    if (!changes.value().empty()) {
      table_.change(*channel, changes.value());
      effect.changes = shared(std::move(changes).value());
      if (command.ttl) effect.lifetime = {*command.ttl, command.notify};
    }
    if (makes_event(command)) effect.event = event_of(command, *channel, ts);
    effect.channel = channel->name;
    effect.seq = channel->last;
    effects.take(effect);
  }
  const ChannelPosition position = channel ? channel->position() : table_.position_of(name);
  // A delete of what is not there changes nothing, and its answer says so: version 0.
  if (command.op == Op::remove && !effect.changes)
    effect.changes = shared(StateChanges{{command.key, nullptr, 0}});
  return Outcome{name_of(channel, name), position, std::move(effect.changes), nullptr};
}

Result<Channel*, Rejection> Channels::channel_for(std::string_view name) {
  if (Channel* const channel = table_.find(name)) return channel;
  if (table_.size() < settings_.max_channels) return &table_.make(name);
  return Rejection{RejectReason::channels_full, 0,
                   "there are as many channels as --max-channels allows"};
}

EventEncoder::Pieces Channels::event_of(const Command& command, Channel& channel, WallTime ts) {
  table_.advance(channel);
  return encoder_.encode(text(channel.name), command, back_to_null(command, channel), ts,
                         channel.last);
}

bool Channels::back_to_null(const Command& command, const Channel& channel) const {
  return command.op == Op::remove && !channel.name && configured_keys_.count(command.key) != 0;
}

Result<Outcome, Rejection> Channels::drop(const Command& command, Effects& effects) {
  const std::string_view name = command.channel_name();
  Channel* const channel = table_.find(name);
  if (channel != nullptr && channel->name) {
    Effect effect;
    effect.channel = channel->name;
    effect.end = ChannelEnd::dropped;
    effect.seq = channel->last;
    table_.remove(*channel, channel->last.next());
    effects.take(effect);
  }
  return Outcome{shared(std::string(name)), table_.position_of(name), nullptr, nullptr};
}

bool Channels::apply(const Expire& expire, WallTime ts, Effects& effects) {
  const Channel* const channel = table_.find(expire.channel);
  const State::Entry* const entry = channel == nullptr ? nullptr : channel->state.entry(expire.key);
  if (entry == nullptr || entry->version != expire.version) return false;
  Command command;
  command.op = Op::remove;
  command.channel = expire.channel;
  command.key = expire.key;
  command.notify = expire.told;
  return apply(command, ts, effects).ok();
}

bool Channels::apply(const Forget& forget, Effects& effects) {
  Channel* const channel = table_.find(forget.channel);
  if (channel == nullptr || !channel->name) return false;
  if (channel->state.size() > 0 || channel->last != forget.last) return false;
  Effect effect;
  effect.channel = channel->name;
  effect.end = ChannelEnd::forgotten;
  effect.seq = channel->last;
  table_.remove(*channel, channel->last);
  effects.take(effect);
  return true;
}

// A change that makes the states smaller always has room.
std::optional<Rejection> Channels::check_room(const State& state,
                                              const StateChanges& changes) const {
  std::uint64_t bytes = table_.bytes();
  std::uint64_t keys = table_.keys();
  for (const StateChange& change : changes) {
    if (const StateValue* const found = state.find(change.key)) {
      bytes -= change.key.size() + (*found)->size();
      --keys;
    }
    if (change.value) {
      bytes += change.key.size() + change.value->size();
      ++keys;
    }
  }
  if (bytes > settings_.max_state_bytes && bytes > table_.bytes()) {
    return Rejection{
        RejectReason::state_full, 0,
        "the state would have " + std::to_string(bytes) + " bytes, more than --max-state allows"};
  }
  if (keys > settings_.max_state_keys && keys > table_.keys()) {
    return Rejection{RejectReason::state_full, 0,
                     "the state would have " + std::to_string(keys) +
                         " keys, more than --max-state-keys allows"};
  }
  return std::nullopt;
}

void Channels::keep() {
  table_.keep();
  kept_ = table_.mark();
}

void Channels::take_back() {
  table_.rewind(kept_);
}

}  // namespace syncrelay
