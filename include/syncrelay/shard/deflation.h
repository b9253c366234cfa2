#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "syncrelay/metrics/stats.h"
#include "syncrelay/post/log_chunk.h"
#include "syncrelay/protocol/deflater.h"

namespace syncrelay {

// All that a shard deflates for those of its clients that have negotiated permessage-deflate.
// Deflating takes time: in one turn of the shard it deflates kBytesPerTurn of the log and of small
// snapshots, and what is needed beyond that and not deflated yet goes as it is. So nobody waits for
// it long, and a flood of events is passed on as fast as without. Its shard's thread only.
class Deflation {
 public:
  static constexpr std::size_t kBytesPerTurn = 1024 * 1024;  // about 10 ms

  // `stats` must outlive it.
  explicit Deflation(ShardStats& stats) : stats_(stats) {}

  // What of the log is to be written. Precondition: as DeflatedChunk::run() has it.
  WireRun run(const LogChunk& chunk, std::uint64_t from, std::uint64_t to) {
    for (const Known& known : known_) {
      if (known.from == from && known.run.behind == to) return known.run;
    }
    return find(chunk, from, to);
  }

  void begin_turn();

  // Whether so many bytes of something else may be deflated in this turn: they are then.
  bool may_deflate(std::size_t bytes);
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
