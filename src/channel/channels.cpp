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

bool may_change_keys(const Command& command) {
  return command.op < Op::broadcast || !command.set.empty();
}

// A delete of what is not there changes nothing, and its answer says so: version 0.
std::shared_ptr<const StateChanges> not_there(const Command& command) {
  if (command.op != Op::remove) return nullptr;
  return shared(StateChanges{{command.key, nullptr, 0}});
}

Rejection channels_full(std::string_view name) {
  return {RejectReason::channels_full, 0,
          "no room for channel \"" + std::string(name) +
              "\": there are as many as --max-channels allows"};
}

// It is one of several.
Rejection in_channel(Rejection rejection, const std::string& name) {
  rejection.channel = name;
  return rejection;
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
  if (command.op == Op::will) return set_will(command, effects);
  if (!command.channels.empty()) return apply_to_list(command, ts, effects);
  return apply_to(command.channel_name(), command, ts, effects);
}

Result<Outcome, Rejection> Channels::apply_to_list(const Command& broadcast, WallTime ts,
                                                   Effects& effects) {
  OutcomeParts parts;
  parts.positions.reserve(broadcast.channels.size());
  for (const std::string& name : broadcast.channels) {
    Result<Outcome, Rejection> applied = apply_to(name, broadcast, ts, effects);
    if (!applied) return in_channel(applied.error(), name);
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
  StateChanges changes;
  if (may_change_keys(command)) {
    auto wanted = changes_of(command, state, name.empty() ? configured_keys_ : kNoKeys);
    if (!wanted) return wanted.error();
    if (auto rejection = check_room(state, wanted.value())) return *std::move(rejection);
    changes = std::move(wanted).value();
  }
  if (changes.empty() && !makes_event(command)) return without_effect(command, name);
  if (channel == nullptr) {
    if (full()) return channels_full(name);
    channel = &table_.make(name);
  }
  return with_effect(command, *channel, std::move(changes), ts, effects);
}

Outcome Channels::with_effect(const Command& command, Channel& channel, StateChanges changes,
                              WallTime ts, Effects& effects) {
  Effect effect;
  if (!changes.empty()) {
    table_.change(channel, changes);
    effect.changes = shared(std::move(changes));
    if (command.ttl) effect.lifetime = {*command.ttl, command.notify};
  }
  if (makes_event(command)) effect.event = event_of(command, channel, ts);
  effect.channel = channel.name;
  effect.slot = channel.slot;
  effect.seq = channel.last;
  effects.take(effect);
  Outcome outcome{channel.name, channel.position(), std::move(effect.changes), nullptr};
  if (!outcome.changes) outcome.changes = not_there(command);
  return outcome;
}

Outcome Channels::without_effect(const Command& command, std::string_view name) const {
  const ChannelName channel = name.empty() ? nullptr : shared(std::string(name));
  return {channel, table_.position_of(name), not_there(command), nullptr};
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
    effect.slot = channel->slot;
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
  if (!channel->empty() || channel->last != forget.last) return false;
  Effect effect;
  effect.channel = channel->name;
  effect.slot = channel->slot;
  effect.end = forget.drop ? ChannelEnd::made_room : ChannelEnd::forgotten;
  effect.seq = channel->last;
  table_.remove(*channel, forget.drop ? channel->last.next() : channel->last);
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
  if (bytes + table_.will_bytes() > settings_.max_state_bytes && bytes > table_.bytes()) {
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
