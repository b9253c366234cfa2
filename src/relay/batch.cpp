#include "syncrelay/relay/batch.h"

#include <algorithm>
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
  step_.ts = ts;
  step_.letters = letters_.size();
  step_.timed = timed_.size();
  step_.unseen = unseen_.size();
}

void Batch::take(const Effect& effect) {
  if (!effect.unseen_of.empty())
    return unseen_.push_back({effect.channel, std::string(effect.unseen_of)});
  if (letters_.size() == step_.letters) {
    add(effect, std::get<Update>(letters_.emplace_back()));
  } else {
    add(effect, step_.also.emplace_back());
  }
}

void Batch::add(const Effect& effect, Update& part) {
  part.channel = effect.channel;
  part.slot = effect.slot;
  part.end = effect.end;
  part.changes = effect.changes;
  part.members = effect.members;
  part.seq = effect.seq;
  if (!effect.event.empty()) set_event(part, log_.append(effect.event));
  if (effect.lifetime) timed_.push_back({effect.changes.get(), step_.ts, *effect.lifetime});
}

void Batch::set_event(Update& part, LogWriter::Written written) const {
  part.chunk = std::move(written.chunk);
  part.position = written.position;
  part.size = written.size;
  part.accepted = clock_.now();
}

void Batch::end_step() {
  if (letters_.size() == step_.letters) return;
  Update& first = std::get<Update>(letters_.back());
  counts_.parts += 1 + step_.also.size();
  if (first.chunk) ++counts_.events;
  if (!step_.also.empty()) {
    counts_.events += static_cast<std::uint64_t>(std::count_if(
        step_.also.begin(), step_.also.end(), [](const Update& part) { return part.chunk; }));
    first.also = std::make_shared<const std::vector<Update>>(std::exchange(step_.also, {}));
  }
  counts_.bytes += weight(first);
}

void Batch::take_back_step() {
  unseen_.resize(step_.unseen);
  if (letters_.size() == step_.letters) return;
  const Update& first = std::get<Update>(letters_.back());
  if (first.chunk) {
    log_.rewind_to(first.chunk, first.position);
  } else if (const auto next = std::find_if(step_.also.begin(), step_.also.end(),
                                            [](const Update& part) { return part.chunk; });
             next != step_.also.end()) {
    log_.rewind_to(next->chunk, next->position);
  }
  step_.also.clear();
  letters_.pop_back();
  timed_.resize(step_.timed, Timed{nullptr, {}, {}});
}

void Batch::add_id(IdRecord id) {
  counts_.bytes += id.id.size();
  ids_.push_back(std::move(id));
}

void Batch::count(const Command& command) {
  if (has_effect(command.op)) ++counts_.commands[static_cast<std::size_t>(command.op)];
  for (const Command& inner : command.commands) count(inner);
}

bool Batch::full() const {
  return counts_.parts >= kFullParts || counts_.bytes >= kFullBytes;
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
  unseen_.clear();
  counts_ = {};
  kept_log_ = log_.mark();
}

void Batch::take_back() {
  log_.rewind(kept_log_);
  clear();
}

Update Batch::restore(ChannelName channel, Seq seq, ByteSpan message) {
  Update update;
  update.channel = std::move(channel);
  update.seq = seq;
  set_event(update, log_.append_wire(message));
  kept_log_ = log_.mark();
  return update;
}

}  // namespace syncrelay
