#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "syncrelay/redis/cluster_event.h"

namespace syncrelay {

// How far a relay has read. The default has read nothing.
struct Position {
  EntryId id;
  std::string mark;  // of that entry, "generation:n:relay:batch"
  std::uint64_t generation = 0;
  std::uint64_t n = 0;

  bool is_nothing() const { return mark.empty(); }
};

// The number of the last batch of each relay that is not gone, by what was read.
using Ledger = std::map<NodeId, std::uint64_t>;

// Where a checkpoint is and what it stands for.
struct CheckpointRecord {
  std::string name;
  std::uint64_t parts = 0;
  Position position;  // of the entry behind which it stands
  std::uint64_t bytes = 0;
  std::uint64_t sum = 0;  // CRC-64

  static std::optional<CheckpointRecord> parse(std::string_view text);
  std::string text() const;
  std::string beginning() const;  // name and parts
  std::string end() const;        // bytes and sum
};

// Ledger and state as the bytes of one checkpoint, and back; nothing for bytes that are cut off.
std::string pack_checkpoint(const Ledger& ledger, std::string state);
struct UnpackedCheckpoint {
  Ledger ledger;
  std::string state;
};
std::optional<UnpackedCheckpoint> unpack_checkpoint(std::string bytes);

}  // namespace syncrelay
