#include "syncrelay/relay/batch.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "syncrelay/base/bytes.h"

namespace syncrelay {
namespace {

constexpr std::size_t kFullParts = 256;
constexpr std::size_t kFullBytes = 1024 * 1024;

Expiry expiry_of(const Batch::Timed& timed) {
  const std::chrono::microseconds after = timed.lifetime.after;
  return {{timed.ts.microseconds + after.count()}, timed.lifetime.after, timed.lifetime.told};
}

}  // namespace

void Batch::begin_step(WallTime ts) {
  step_ts_ = ts;
  step_log_ = log_.mark();
  step_timed_ = timed_.size();
}

void Batch::take(const Effect& effect) {
  if (!effect.event.empty()) {
    step_.push_back(event(log_.append(effect.event), effect.channel, effect.seq));
  } else {
    step_.emplace_back();
    step_.back().channel = effect.channel;
    step_.back().seq = effect.seq;
  }
  step_.back().end = effect.end;
  step_.back().changes = effect.changes;
  if (effect.lifetime) timed_.push_back({effect.changes.get(), step_ts_, *effect.lifetime});
}

Update Batch::event(LogWriter::Written written, ChannelName channel, Seq seq) const {
  Update update;
  update.channel = std::move(channel);
  update.chunk = std::move(written.chunk);
  update.seq = seq;
  update.position = written.position;
  update.size = written.size;
  update.accepted = clock_.now();
  return update;
}

void Batch::end_step() {
  if (step_.empty()) return;
  parts_ += step_.size();
  events_ += static_cast<std::uint64_t>(
      std::count_if(step_.begin(), step_.end(), [](const Update& part) { return part.chunk; }));
  Update update = std::move(step_.front());
  if (step_.size() > 1) {
    update.also = std::make_shared<const std::vector<Update>>(
        std::make_move_iterator(step_.begin() + 1), std::make_move_iterator(step_.end()));
  }
  bytes_ += weight(update);
  letters_.emplace_back(std::move(update));
  step_.clear();
}

void Batch::take_back_step() {
  step_.clear();
  timed_.resize(step_timed_, Timed{nullptr, {}, {}});
  log_.rewind(step_log_);
}

void Batch::add_id(IdRecord id) {
  bytes_ += id.id.size();
  ids_.push_back(std::move(id));
}

void Batch::count(const Command& command) {
  if (has_effect(command.op)) ++commands_[static_cast<std::size_t>(command.op)];
  for (const Command& inner : command.commands) count(inner);
}

bool Batch::full() const {
  return parts_ >= kFullParts || bytes_ >= kFullBytes;
}

void Batch::fill(StoreBatch& stored) {
  stored.ids = std::move(ids_);
  for_each_part([&](const Update& part, const Timed* timed) {
    if (part.end != ChannelEnd::none) stored.changes.push_back({part.channel, nullptr});
    if (part.changes) {
      const auto expiry = timed == nullptr ? std::nullopt : std::optional(expiry_of(*timed));
      for (const StateChange& change : *part.changes)
        stored.changes.push_back({part.channel, &change, expiry});
    }
    if (!part.chunk) return;
    stored.events.push_back(
        {part.channel, part.seq, part.chunk->read(part.position, part.position + part.size)});
  });
}

void Batch::clear() {
  letters_.clear();
  timed_.clear();
  ids_.clear();
  parts_ = 0;
  bytes_ = 0;
  events_ = 0;
  expired_ = 0;
  commands_.fill(0);
  kept_log_ = log_.mark();
}

void Batch::take_back() {
  log_.rewind(kept_log_);
  clear();
}

Update Batch::restore(ChannelName channel, Seq seq, ByteSpan message) {
  Update update = event(log_.append_wire(message), std::move(channel), seq);
  kept_log_ = log_.mark();
  return update;
}

}  // namespace syncrelay
