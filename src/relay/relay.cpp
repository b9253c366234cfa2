#include "syncrelay/relay/relay.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <memory>
#include <utility>

#include "syncrelay/base/crash_point.h"
#include "syncrelay/json/json_text.h"
#include "syncrelay/protocol/frame.h"
#include "syncrelay/state/merge_patch.h"

namespace syncrelay {
namespace {

constexpr std::size_t kBatchUpdates = 256;
constexpr std::size_t kBatchBytes = 1024 * 1024;

std::uint64_t entry_bytes(const std::string& key, const StateValue& value) {
  return key.size() + value->size();
}

}  // namespace

Relay::Relay(const Settings& settings, const Clock& clock, std::vector<Mailbox<Update>*> shards,
             RelayStats& stats, Store* store)
    : settings_(settings),
      configured_keys_(settings.state_keys.begin(), settings.state_keys.end()),
      clock_(clock),
      shards_(std::move(shards)),
      stats_(stats),
      store_(store),
      running_since_(clock.now()),
      ids_(settings.ids),
      log_(settings.log_bytes) {
  for (const std::string& key : configured_keys_)
    put({key, std::make_shared<const std::string>("null")});
  begin_batch();
  show_numbers();
}

std::vector<Update> Relay::restore(const StoredHistory& history) {
  StateChanges changes;
  for (const auto& [key, value] : history.state) changes.push_back({key, value});
  for (const StateChange& change : changes) put(change);
  std::vector<Update> updates(1);
  updates.front().changes = std::make_shared<const StateChanges>(std::move(changes));
  for (const StoredEvents& run : history.events) {
    ByteSpan wire = as_bytes(run.wire);
    for (Seq seq = run.first; !wire.empty(); seq = seq.next()) {
      const std::size_t size = message_end(wire);
      LogWriter::Written written = log_.append_wire(wire.first(size));
      updates.push_back(
          {nullptr, std::move(written.chunk), seq, written.position, size, clock_.now(), nullptr});
      wire = wire.subspan(size);
    }
  }
  last_ = history.last;
  running_since_ = clock_.now() - history.ran;
  for (const IdRecord& record : history.ids)
    ids_.stage(record.id, record.seq, running_since_ + record.accepted);
  ids_.keep_staged();
  begin_batch();
  show_numbers();
  return updates;
}

Result<Accepted, Rejection> Relay::apply(const Command& command) {
  if (!command.id.empty()) {
    if (const auto known = ids_.find(command.id, clock_.now())) {
      stats_.duplicates.add();
      return Accepted{known->seq, true, !known->staged};
    }
  }
  Result<StateChanges, Rejection> changes = changes_of(command);
  if (!changes) return changes.error();
  if (auto rejection = check_room(changes.value())) return *std::move(rejection);
  Update update;
  if (!changes.value().empty()) {
    take_in(changes.value());
    update.changes = std::make_shared<const StateChanges>(std::move(changes).value());
  }
  stage_event(command, update);
  if (!command.id.empty()) {
    ids_.stage(command.id, last_, clock_.now());
    staged_ids_.push_back({command.id, last_, ran()});
    staged_bytes_ += command.id.size();
  }
  if (has_effect(command.op)) ++staged_commands_[static_cast<std::size_t>(command.op)];
  if (update.changes || update.chunk) {
    staged_bytes_ += weight(update);
    staged_.push_back(std::move(update));
  }
  return Accepted{last_};
}

Result<StateChanges, Rejection> Relay::changes_of(const Command& command) const {
  switch (command.op) {
    case Op::set:
      return change(command.key, std::string(command.value));
    case Op::merge: {
      const auto found = state_.find(command.key);
      auto merged = merge_patch(found == state_.end() ? "null" : *found->second, command.value);
      if (merged) return change(command.key, *std::move(merged));
      return Rejection{RejectReason::invalid_json, 0,
                       "the value that the key has is no JSON: set it anew"};
    }
    case Op::remove:
      if (is_configured(command.key)) return change(command.key, "null");
      if (state_.count(command.key) == 0) return StateChanges{};
      return StateChanges{{command.key, nullptr}};
    default:
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

void Relay::take_in(const StateChanges& changes) {
  for (const StateChange& change : changes) {
    const auto found = state_.find(change.key);
    undo_.state.push_back({change.key, found == state_.end() ? nullptr : found->second});
    put(change);
  }
}

void Relay::put(const StateChange& change) {
  const auto found = state_.find(change.key);
  if (found != state_.end()) state_bytes_ -= entry_bytes(found->first, found->second);
  if (change.value) state_bytes_ += entry_bytes(change.key, change.value);
  if (!change.value && found != state_.end()) {
    state_.erase(found);
  } else if (change.value) {
    state_.insert_or_assign(change.key, change.value);
  }
}

void Relay::stage_event(const Command& command, Update& update) {
  if (command.op == Op::broadcast) {
    if (command.notify && !command.set_object.empty()) {
      write_event({R"({"type":)", command.type, R"(,"data":)", command.data, R"(,"set":)",
                   command.set_object},
                  update);
    } else {
      write_event({R"({"type":)", command.type, R"(,"data":)", command.data}, update);
    }
    return;
  }
  if (!command.notify || !has_effect(command.op)) return;
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
}

bool Relay::batch_full() const {
  return staged_.size() >= kBatchUpdates || staged_bytes_ >= kBatchBytes;
}

Result<void, Rejection> Relay::publish() {
  Result<void, Rejection> stored = store_staged();
  crash_point("after_commit");
  if (stored) {
    ids_.keep_staged();
    stats_.events.add(distance(undo_.last, last_));
    for (std::size_t op = 0; op < staged_commands_.size(); ++op)
      stats_.commands[op].add(staged_commands_[op]);
    for (Mailbox<Update>* shard : shards_) shard->post(std::span<const Update>(staged_));
  } else {
    take_back();
  }
  begin_batch();
  show_numbers();
  return stored;
}

Result<void, Rejection> Relay::store_staged() {
  if (store_ == nullptr || (staged_.empty() && staged_ids_.empty())) return {};
  StoreBatch batch{undo_.last.next(), last_, {}, {}, std::move(staged_ids_), ran()};
  for (const Update& update : staged_) {
    if (update.chunk)
      batch.events.push_back(update.chunk->read(update.position, update.position + update.size));
    if (!update.changes) continue;
    for (const StateChange& change : *update.changes) batch.changes.push_back(&change);
  }
  Result<void, Rejection> stored = store_->commit(batch);
  staged_ids_ = std::move(batch.ids);
  return stored;
}

void Relay::take_back() {
  ids_.take_back_staged();
  for (auto change = undo_.state.rbegin(); change != undo_.state.rend(); ++change) put(*change);
  log_.rewind(undo_.log);
  last_ = undo_.last;
}

void Relay::begin_batch() {
  staged_.clear();
  staged_ids_.clear();
  staged_bytes_ = 0;
  staged_commands_.fill(0);
  undo_.last = last_;
  undo_.log = log_.mark();
  undo_.state.clear();
}

Result<void, Rejection> Relay::begin_backup() {
  if (store_ != nullptr) return store_->begin_backup();
  return Rejection{RejectReason::no_storage, 0, "the relay stores nothing: it has no --data"};
}

void Relay::request(std::shared_ptr<ClientList> list) {
  Update update;
  update.client_list = std::move(list);
  for (Mailbox<Update>* shard : shards_) shard->post(update);
}

void Relay::show_numbers() {
  stats_.seq.set(last_.value);
  stats_.state_keys.set(state_.size());
  stats_.state_bytes.set(state_bytes_);
  stats_.ids.set(ids_.size());
}

}  // namespace syncrelay
