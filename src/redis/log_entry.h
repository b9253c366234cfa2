#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "redis/redis_connection.h"
#include "syncrelay/redis/checkpoint.h"

namespace syncrelay {

// An entry of the stream, as views into the reply that it came in.
struct LogEntry {
  enum class Kind : std::uint8_t { letters, gone, founded };

  EntryId id;
  Kind kind = Kind::letters;
  std::uint64_t generation = 0;
  std::uint64_t n = 0;
  NodeId relay;
  std::uint64_t batch = 0;
  std::string_view data;  // of founded: the epoch

  // Nothing for what no relay of this version has written.
  static std::optional<LogEntry> read(RedisValue value);

  Position position() const;
};

}  // namespace syncrelay
