#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "syncrelay/base/ids.h"

namespace syncrelay {

// Where the numbers of channels that are gone ended, so that a channel that comes again goes on
// behind them: no position ever gets a second meaning under one epoch. Bounded: when it is full all
// is forgotten at once, and channels that come from then on have the epoch of the next generation.
// Names are kept as hashes; two that have the same share their numbers, which costs a gap and no
// meaning. Pure: the relay and every shard keep one of their own, and agree.
class Tombstones {
 public:
  static constexpr std::size_t kMax = 100'000;

  // The newest position of a channel that is not there (any more): 0 when nothing is known of it.
  Seq last_of(std::string_view name) const;

  // The channel is gone; `last` was its newest position, or one past it where a position before is
  // not to be resumed from.
  void put(std::string_view name, Seq last);
  // Whether that would make it forget all others.
  bool overflows_by(std::string_view name) const;

  std::uint32_t generation() const { return generation_; }

  using ByHash = std::unordered_map<std::uint64_t, Seq>;
  ByHash by_hash() const;  // all, as a copy
  std::size_t size() const { return size_; }
  std::optional<Seq> find(std::uint64_t hash) const;
  // As it was before put(); nullopt: nothing was known.
  void put_back(std::uint64_t hash, std::optional<Seq> last);
  void restore(const ByHash& last, std::uint32_t generation);

  static std::uint64_t hash(std::string_view name);

 private:
  struct Slot {
    std::uint64_t hash = 0;
    Seq last;  // 0: it is free
  };

  // Where this hash is, or would be. Precondition: a slot is free.
  std::size_t slot_of(std::uint64_t hash) const;
  void grow();
  void set(std::uint64_t hash, Seq last);
  void erase(std::uint64_t hash);

  // A table with open addressing, which is one block of memory: nodes of a map, made while channels
  // go, would lie between what those leave, and keep all of it from the system.
  std::vector<Slot> slots_;  // as many as a power of two, an eighth of them free, or none
  std::size_t size_ = 0;
  std::uint32_t generation_ = 0;
};

// The epoch of a channel that was made in this generation; the default channel's is the log's.
std::string epoch_of(std::string_view log_epoch, std::uint32_t generation);

}  // namespace syncrelay
