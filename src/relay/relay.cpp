#include "syncrelay/relay/relay.h"

#include <array>
#include <memory>
#include <utility>

#include "syncrelay/protocol/json_text.h"
#include "syncrelay/state/merge_patch.h"

namespace syncrelay {
namespace {

constexpr std::size_t kBatchUpdates = 256;
constexpr std::size_t kBatchBytes = 1024 * 1024;

std::uint64_t entry_bytes(const std::string& key, const StateValue& value) { return key.size() + value->size(); }

std::string json_string(std::string_view text) {
  std::string out;
  append_json_string(out, text);
  return out;
}

}  // namespace

Relay::Relay(const Settings& settings, const Clock& clock, std::vector<Mailbox<Update>*> shards, RelayStats& stats)
    : settings_(settings),
      configured_keys_(settings.state_keys.begin(), settings.state_keys.end()),
      clock_(clock),
      shards_(std::move(shards)),
      stats_(stats),
      log_(settings.log_bytes) {
  for (const std::string& key : configured_keys_) take_in(change(key, "null"));
  show_state();
}

Result<Seq, Rejection> Relay::apply(const Command& command) {
  Result<StateChanges, Rejection> changes = changes_of(command);
  if (!changes) return changes.error();
  if (auto rejection = check_room(changes.value())) return *std::move(rejection);
  Update update;
  if (!changes.value().empty()) {
    take_in(changes.value());
    update.changes = std::make_shared<const StateChanges>(std::move(changes).value());
    show_state();
  }
  stage_event(command, update);
  counter(stats_.commands, command.op).add();
  if (update.changes || update.chunk) {
    staged_bytes_ += weight(update);
    staged_.push_back(std::move(update));
  }
  return last_;
}

Result<StateChanges, Rejection> Relay::changes_of(const Command& command) const {
  switch (command.op) {
    case Op::set:
      return change(command.key, std::string(command.value));
    case Op::merge: {
      const auto found = state_.find(command.key);
      return change(command.key, merge_patch(found == state_.end() ? "null" : *found->second, command.value));
    }
    case Op::remove:
      if (is_configured(command.key)) return change(command.key, "null");
      if (state_.count(command.key) == 0) return StateChanges{};
      return StateChanges{{command.key, nullptr}};
    case Op::broadcast:
      break;
  }
  StateChanges changes;
  changes.reserve(command.set.size());
  for (const KeyValue& entry : command.set) {
    changes.push_back({entry.key, std::make_shared<const std::string>(entry.value)});
  }
  return changes;
}

StateChanges Relay::change(const std::string& key, std::string value) const {
  return {{key, std::make_shared<const std::string>(std::move(value))}};
}

// A change that makes the state smaller always has room.
std::optional<Rejection> Relay::check_room(const StateChanges& changes) const {
  std::uint64_t bytes = state_bytes_;
  std::uint64_t keys = state_.size();
  for (const StateChange& change : changes) {
    const auto found = state_.find(change.key);
    if (found != state_.end()) {
      bytes -= entry_bytes(found->first, found->second);
      --keys;
    }
    if (change.value) {
      bytes += entry_bytes(change.key, change.value);
      ++keys;
    }
  }
  if (bytes > settings_.max_state_bytes && bytes > state_bytes_) {
    return Rejection{RejectReason::state_full, 0,
                     "the state would have " + std::to_string(bytes) + " bytes, more than --max-state allows"};
  }
  if (keys > settings_.max_state_keys && keys > state_.size()) {
    return Rejection{RejectReason::state_full, 0,
                     "the state would have " + std::to_string(keys) + " keys, more than --max-state-keys allows"};
  }
  return std::nullopt;
}

void Relay::take_in(const StateChanges& changes) {
  for (const StateChange& change : changes) {
    const auto found = state_.find(change.key);
    if (found != state_.end()) {
      state_bytes_ -= entry_bytes(found->first, found->second);
      state_.erase(found);
    }
    if (!change.value) continue;
    state_bytes_ += entry_bytes(change.key, change.value);
    state_.emplace(change.key, change.value);
  }
}

void Relay::stage_event(const Command& command, Update& update) {
  if (command.op == Op::broadcast) {
    if (command.notify && !command.set_object.empty()) {
      write_event({R"({"type":)", command.type, R"(,"data":)", command.data, R"(,"set":)", command.set_object}, update);
    } else {
      write_event({R"({"type":)", command.type, R"(,"data":)", command.data}, update);
    }
    return;
  }
  if (!command.notify) return;
  const std::string key = json_string(command.key);
  if (command.op == Op::set) {
    write_event({R"({"type":"sync:set","data":{)", key, ":", command.value, "}"}, update);
  } else if (command.op == Op::merge) {
    write_event({R"({"type":"sync:merge","data":{)", key, ":", command.value, "}"}, update);
  } else if (is_configured(command.key)) {
    write_event({R"({"type":"sync:set","data":{)", key, ":null}"}, update);
  } else {
    write_event({R"({"type":"sync:delete","data":[)", key, "]"}, update);
  }
}

void Relay::write_event(std::initializer_list<std::string_view> pieces, Update& update) {
  last_ = last_.next();
  tail_ = R"(,"ts":)";
  append_timestamp(tail_, clock_.wall());
  tail_ += R"(,"seq":)";
  tail_ += std::to_string(last_.value);
  tail_ += '}';
  std::array<std::string_view, 8> all;
  std::size_t count = 0;
  for (const std::string_view piece : pieces) all[count++] = piece;
  all[count++] = tail_;
  LogWriter::Written written = log_.append({all.data(), count});
  update.chunk = std::move(written.chunk);
  update.seq = last_;
  update.position = written.position;
  update.size = written.size;
  update.accepted = clock_.now();
  stats_.events.add();
  stats_.seq.set(last_.value);
}

bool Relay::batch_full() const { return staged_.size() >= kBatchUpdates || staged_bytes_ >= kBatchBytes; }

void Relay::publish() {
  if (staged_.empty()) return;
  for (Mailbox<Update>* shard : shards_) shard->post(staged_);
  staged_.clear();
  staged_bytes_ = 0;
}

void Relay::show_state() {
  stats_.state_keys.set(state_.size());
  stats_.state_bytes.set(state_bytes_);
}

}  // namespace syncrelay
