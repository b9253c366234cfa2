#include "syncrelay/channel/channel.h"

#include <utility>

#include "syncrelay/channel/merge_patch.h"

namespace syncrelay {
namespace {

StateValue value_of(std::string text) {
  return std::make_shared<const std::string>(std::move(text));
}

}  // namespace

Channel::Channel(const Settings& settings)
    : settings_(settings),
      configured_keys_(settings.state_keys.begin(), settings.state_keys.end()) {
  for (const std::string& key : configured_keys_) state_.set(key, value_of("null"));
}

void Channel::restore(const StateChanges& state, Seq last) {
  state_.apply(state);
  last_ = kept_last_ = last;
}

Result<Channel::Effect, Rejection> Channel::apply(const Command& command, WallTime ts) {
  Result<StateChanges, Rejection> changes = changes_of(command);
  if (!changes) return changes.error();
  if (auto rejection = check_room(changes.value())) return *std::move(rejection);
  Effect effect;
  if (!changes.value().empty()) {
    take_in(changes.value());
    effect.changes = std::make_shared<const StateChanges>(std::move(changes).value());
  }
  if (makes_event(command)) {
    last_ = last_.next();
    const bool back_to_null = command.op == Op::remove && is_configured(command.key);
    effect.event = encoder_.encode({}, command, back_to_null, ts, last_);
  }
  effect.seq = last_;
  return effect;
}

Result<StateChanges, Rejection> Channel::changes_of(const Command& command) const {
  switch (command.op) {
    case Op::set:
      return StateChanges{{command.key, value_of(std::string(command.value))}};
    case Op::merge:
      return merged(command);
    case Op::remove:
      return removed(command.key);
    default:
      break;
  }
  StateChanges changes;
  changes.reserve(command.set.size());
  for (const KeyValue& entry : command.set)
    changes.push_back({entry.key, value_of(std::string(entry.value))});
  return changes;
}

Result<StateChanges, Rejection> Channel::merged(const Command& command) const {
  const StateValue* const found = state_.find(command.key);
  auto value = merge_patch(found == nullptr ? "null" : **found, command.value);
  if (value) return StateChanges{{command.key, value_of(*std::move(value))}};
  return Rejection{RejectReason::invalid_json, 0,
                   "the value that the key has is no JSON: set it anew"};
}

StateChanges Channel::removed(const std::string& key) const {
  if (is_configured(key)) return {{key, value_of("null")}};
  if (state_.find(key) == nullptr) return {};
  return {{key, nullptr}};
}

// A change that makes the state smaller always has room.
std::optional<Rejection> Channel::check_room(const StateChanges& changes) const {
  std::uint64_t bytes = state_.bytes();
  std::uint64_t keys = state_.size();
  for (const StateChange& change : changes) {
    if (const StateValue* const found = state_.find(change.key)) {
      bytes -= change.key.size() + (*found)->size();
      --keys;
    }
    if (change.value) {
      bytes += change.key.size() + change.value->size();
      ++keys;
    }
  }
  if (bytes > settings_.max_state_bytes && bytes > state_.bytes()) {
    return Rejection{
        RejectReason::state_full, 0,
        "the state would have " + std::to_string(bytes) + " bytes, more than --max-state allows"};
  }
  if (keys > settings_.max_state_keys && keys > state_.size()) {
    return Rejection{RejectReason::state_full, 0,
                     "the state would have " + std::to_string(keys) +
                         " keys, more than --max-state-keys allows"};
  }
  return std::nullopt;
}

void Channel::take_in(const StateChanges& changes) {
  for (const StateChange& change : changes) {
    const StateValue* const found = state_.find(change.key);
    undo_.push_back({change.key, found == nullptr ? nullptr : *found});
  }
  state_.apply(changes);
}

void Channel::keep() {
  undo_.clear();
  kept_last_ = last_;
}

void Channel::take_back() {
  const StateChanges back(undo_.rbegin(), undo_.rend());
  state_.apply(back);
  undo_.clear();
  last_ = kept_last_;
}

}  // namespace syncrelay
