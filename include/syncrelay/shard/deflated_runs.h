#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "syncrelay/metrics/stats.h"
#include "syncrelay/post/log_chunk.h"
#include "syncrelay/protocol/deflater.h"

namespace syncrelay {

// What the sessions of a shard write of the log that have negotiated permessage-deflate. Deflating
// takes time: in one turn of the shard it deflates kBytesPerTurn of the log, and what is needed
// beyond that and no shard has deflated yet goes as it is. So nobody waits for it long, and a flood
// of events is passed on as fast as without. Its shard's thread only.
class DeflatedRuns {
 public:
  static constexpr std::size_t kBytesPerTurn = 1024 * 1024;  // about 10 ms

  // `stats` must outlive it.
  explicit DeflatedRuns(ShardStats& stats) : stats_(stats) {}

  // Precondition: as DeflatedChunk::run() has it.
  WireRun get(const LogChunk& chunk, std::uint64_t from, std::uint64_t to) {
    for (const Known& known : known_) {
      if (known.from == from && known.run.behind == to) return known.run;
    }
    return find(chunk, from, to);
  }

  void begin_turn();

  Deflater& deflater() { return deflater_; }

 private:
  // A run that somebody was given whole, in this turn: many others are at the same place.
  struct Known {
    std::uint64_t from = 0;
    WireRun run;
  };

  WireRun find(const LogChunk& chunk, std::uint64_t from, std::uint64_t to);

  ShardStats& stats_;
  Deflater deflater_;
  std::size_t bytes_left_ = kBytesPerTurn;
  std::array<Known, 4> known_;
  std::size_t next_known_ = 0;
};

}  // namespace syncrelay
