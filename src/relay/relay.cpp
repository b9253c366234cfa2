#include "syncrelay/relay/relay.h"

#include <algorithm>
#include <chrono>
#include <memory>
#include <utility>

#include "syncrelay/base/crash_point.h"
#include "syncrelay/protocol/frame.h"

namespace syncrelay {
namespace {

constexpr std::size_t kBatchUpdates = 256;
constexpr std::size_t kBatchBytes = 1024 * 1024;

}  // namespace

Relay::Relay(const Settings& settings, const Clock& clock, std::vector<Mailbox<Letter>*> shards,
             RelayStats& stats, Store* store)
    : clock_(clock),
      shards_(std::move(shards)),
      stats_(stats),
      store_(store),
      channel_(settings.channel),
      running_since_(clock.now()),
      ids_(settings.ids),
      log_(settings.log_bytes) {
  begin_batch();
  show_numbers();
}

Restored Relay::restore(const StoredHistory& history) {
  StateChanges changes;
  if (const auto state = history.state.find(""); state != history.state.end()) {
    for (const auto& [key, value] : state->second)
      changes.push_back({key, value.value, value.version});
  }
  channel_.restore(changes, history.last);
  Restored restored;
  restored.last = history.last;
  std::vector<Update>& updates = restored.updates;
  updates.resize(1);
  updates.front().changes = std::make_shared<const StateChanges>(std::move(changes));
  for (const StoredEvents& run : history.events) {
    ByteSpan wire = as_bytes(run.wire);
    for (Seq seq = run.runs.front().first; !wire.empty(); seq = seq.next()) {
      const std::size_t size = message_end(wire);
      updates.push_back(update_of(log_.append_wire(wire.first(size)), seq));
      wire = wire.subspan(size);
    }
  }
  running_since_ = clock_.now() - history.ran;
  for (const IdRecord& record : history.ids)
    ids_.stage(record.id, record.seq, running_since_ + record.accepted);
  ids_.keep_staged();
  begin_batch();
  show_numbers();
  return restored;
}

Result<Accepted, Rejection> Relay::apply(const Command& command) {
  if (!command.id.empty()) {
    if (const auto known = ids_.find(command.id, clock_.now())) {
      stats_.duplicates.add();
      return Accepted{known->seq, true, !known->staged};
    }
  }
  Result<Channel::Effect, Rejection> applied = channel_.apply(command, clock_.wall());
  if (!applied) return applied.error();
  const Channel::Effect& effect = applied.value();
  if (!command.id.empty()) stage_id(command.id, effect.seq);
  if (has_effect(command.op)) ++staged_commands_[static_cast<std::size_t>(command.op)];
  stage(effect);
  return Accepted{effect.seq};
}

void Relay::stage_id(const std::string& id, Seq seq) {
  ids_.stage(id, seq, clock_.now());
  staged_ids_.push_back({id, seq, ran()});
  staged_bytes_ += id.size();
}

void Relay::stage(const Channel::Effect& effect) {
  if (!effect.changes && effect.event.empty()) return;
  Update update;
  if (!effect.event.empty()) update = update_of(log_.append(effect.event), effect.seq);
  update.changes = effect.changes;
  staged_bytes_ += weight(update);
  staged_.push_back(std::move(update));
}

Update Relay::update_of(LogWriter::Written written, Seq seq) const {
  Update update;
  update.chunk = std::move(written.chunk);
  update.seq = seq;
  update.position = written.position;
  update.size = written.size;
  update.accepted = clock_.now();
  return update;
}

bool Relay::batch_full() const {
  return staged_.size() >= kBatchUpdates || staged_bytes_ >= kBatchBytes;
}

Result<void, Rejection> Relay::publish() {
  Result<void, Rejection> stored = store_staged();
  crash_point("after_commit");
  if (stored) {
    keep();
  } else {
    take_back();
  }
  begin_batch();
  show_numbers();
  return stored;
}

void Relay::keep() {
  ids_.keep_staged();
  stats_.events.add(distance(channel_.kept(), channel_.last()));
  channel_.keep();
  for (std::size_t op = 0; op < staged_commands_.size(); ++op)
    stats_.commands[op].add(staged_commands_[op]);
  for (Mailbox<Letter>* shard : shards_) shard->post(std::span<const Letter>(staged_));
}

Result<void, Rejection> Relay::store_staged() {
  if (store_ == nullptr || (staged_.empty() && staged_ids_.empty())) return {};
  StoreBatch batch;
  batch.first_event = channel_.kept().next().value;
  batch.last = channel_.last();
  batch.ids = std::move(staged_ids_);
  batch.ran = ran();
  for (const Letter& letter : staged_) {
    const Update& update = std::get<Update>(letter);
    if (update.chunk) {
      const ByteSpan wire = update.chunk->read(update.position, update.position + update.size);
      batch.events.push_back({update.channel, update.seq, wire});
    }
    if (!update.changes) continue;
    for (const StateChange& change : *update.changes)
      batch.changes.push_back({update.channel, &change});
  }
  Result<void, Rejection> stored = store_->commit(batch);
  staged_ids_ = std::move(batch.ids);
  return stored;
}

void Relay::take_back() {
  ids_.take_back_staged();
  channel_.take_back();
  log_.rewind(kept_log_);
}

void Relay::begin_batch() {
  staged_.clear();
  staged_ids_.clear();
  staged_bytes_ = 0;
  staged_commands_.fill(0);
  kept_log_ = log_.mark();
}

Result<void, Rejection> Relay::begin_backup() {
  if (store_ != nullptr) return store_->begin_backup();
  return Rejection{RejectReason::no_storage, 0, "the relay stores nothing: it has no --data"};
}

std::size_t Relay::ask(const Inquiry& inquiry) {
  for (Mailbox<Letter>* shard : shards_) shard->post(inquiry);
  return shards_.size();
}

void Relay::show_numbers() {
  stats_.seq.set(channel_.last().value);
  stats_.state_keys.set(channel_.state().size());
  stats_.state_bytes.set(channel_.state().bytes());
  stats_.ids.set(ids_.size());
}

}  // namespace syncrelay
