#include "syncrelay/channel/tombstones.h"

#include <algorithm>
#include <cstdio>
#include <utility>

#include "syncrelay/base/crc64.h"

namespace syncrelay {

Seq Tombstones::last_of(std::string_view name) const {
  return find(hash(name)).value_or(Seq{0});
}

std::optional<Seq> Tombstones::find(std::uint64_t hash) const {
  if (slots_.empty()) return std::nullopt;
  const Slot& slot = slots_[slot_of(hash)];
  return slot.last == Seq{0} ? std::nullopt : std::optional(slot.last);
}

bool Tombstones::overflows_by(std::string_view name) const {
  return size_ >= kMax && !find(hash(name));
}

// A channel without any number leaves none. Of two names with the same hash the greater counts.
void Tombstones::put(std::string_view name, Seq last) {
  if (last == Seq{0}) return;
  if (overflows_by(name)) {
    slots_ = {};
    size_ = 0;
    ++generation_;
  }
  set(hash(name), std::max(last_of(name), last));
}

void Tombstones::put_back(std::uint64_t hash, std::optional<Seq> last) {
  if (last) {
    set(hash, *last);
  } else {
    erase(hash);
  }
}

void Tombstones::restore(const ByHash& last, std::uint32_t generation) {
  *this = {};
  for (const auto& [hash, seq] : last) set(hash, seq);
  generation_ = generation;
}

Tombstones::ByHash Tombstones::by_hash() const {
  ByHash all;
  for (const Slot& slot : slots_) {
    if (slot.last != Seq{0}) all.emplace(slot.hash, slot.last);
  }
  return all;
}

std::size_t Tombstones::slot_of(std::uint64_t hash) const {
  const std::size_t mask = slots_.size() - 1;
  std::size_t slot = hash & mask;
  while (slots_[slot].last != Seq{0} && slots_[slot].hash != hash) slot = (slot + 1) & mask;
  return slot;
}

void Tombstones::grow() {
  constexpr std::size_t kLeast = 16;
  std::vector<Slot> before(std::max(slots_.size() * 2, kLeast));
  before.swap(slots_);
  for (const Slot& slot : before) {
    if (slot.last != Seq{0}) slots_[slot_of(slot.hash)] = slot;
  }
}

void Tombstones::set(std::uint64_t hash, Seq last) {
  if (last == Seq{0}) return;
  if (size_ >= slots_.size() / 8 * 7) grow();
  Slot& slot = slots_[slot_of(hash)];
  if (slot.last == Seq{0}) ++size_;
  slot = {hash, last};
}

// Those behind it that had to go round it move up, so that there is no gap where they are looked
// for.
void Tombstones::erase(std::uint64_t hash) {
  if (!find(hash)) return;
  const std::size_t mask = slots_.size() - 1;
  std::size_t gap = slot_of(hash);
  for (std::size_t next = (gap + 1) & mask; slots_[next].last != Seq{0}; next = (next + 1) & mask) {
    const std::size_t away =
        (next - slots_[next].hash) & mask;  // from where it is looked for first
    if (away < ((next - gap) & mask)) continue;
    slots_[gap] = slots_[next];
    gap = next;
  }
  slots_[gap] = {};
  --size_;
}

std::uint64_t Tombstones::hash(std::string_view name) {
  return Crc64().add(name).value();
}

std::string epoch_of(std::string_view log_epoch, std::uint32_t generation) {
  if (generation == 0) return std::string(log_epoch);
  const std::string seed = std::string(log_epoch) + ':' + std::to_string(generation);
  char text[17];
  std::snprintf(text, sizeof text, "%016llx",
                static_cast<unsigned long long>(Crc64().add(seed).value()));
  return text;
}

}  // namespace syncrelay
