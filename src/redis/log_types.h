#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "redis/redis_connection.h"
#include "syncrelay/redis/cluster_event.h"

namespace syncrelay {

// How far a relay has read. The default has read nothing.
struct Position {
  EntryId id;
  std::string mark;  // of that entry, see scripts.cpp
  std::uint64_t generation = 0;
  std::uint64_t n = 0;

  bool is_nothing() const { return mark.empty(); }
};

// An entry of the stream, as views into the reply that it came in.
struct LogEntry {
  enum class Kind : std::uint8_t { letters, gone, founded };

  EntryId id;
  Kind kind = Kind::letters;
  std::uint64_t generation = 0;
  std::uint64_t n = 0;
  RelayId relay;
  std::uint64_t batch = 0;
  std::string_view data;  // of founded: the epoch

  // Nothing for what no relay of this version has written.
  static std::optional<LogEntry> read(RedisValue value);

  Position position() const;
};

// The number of the last batch of each relay that is not gone, by what was read.
using Ledger = std::map<RelayId, std::uint64_t>;

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
std::string pack_checkpoint(const Ledger& ledger, std::string_view state);
struct UnpackedCheckpoint {
  Ledger ledger;
  std::string state;
};
std::optional<UnpackedCheckpoint> unpack_checkpoint(std::string_view bytes);

// Splits at single blanks, "" where there is no more.
std::string_view take_word(std::string_view& text);
bool read_number(std::string_view text, std::uint64_t& number);

}  // namespace syncrelay
