#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "syncrelay/base/clock.h"
#include "syncrelay/metrics/stats.h"
#include "syncrelay/post/log_chunk.h"
#include "syncrelay/protocol/deflater.h"

namespace syncrelay {

// All that a shard deflates for those of its clients that have negotiated permessage-deflate.
// Deflating takes time: in one turn of the shard it deflates the log and small snapshots for
// kTimePerTurn, kBytesPerTurn of them at most and one event or snapshot beyond, and what is needed
// then and not deflated yet goes as it is. So nobody waits for it long, whatever the events are,
// and a flood of them is passed on as fast as without. Its shard's thread only.
class Deflation {
 public:
  static constexpr std::size_t kBytesPerTurn = 1024 * 1024;
  static constexpr Duration kTimePerTurn = std::chrono::milliseconds(5);

  // Both must outlive it.
  Deflation(ShardStats& stats, const Clock& clock) : stats_(stats), clock_(clock) {}

  // What of the log is to be written. Precondition: as DeflatedChunk::run() has it.
  WireRun run(const LogChunk& chunk, std::uint64_t from, std::uint64_t to) {
    for (const Known& known : known_) {
      if (known.from == from && known.run.behind == to) return known.run;
    }
    return find(chunk, from, to);
  }

  void begin_turn();

  // Something else, deflated as Deflater does between begin() and end(); empty where that may not
  // be in this turn. Valid until the next call.
  std::string_view deflate(std::string_view text);
  Deflater& deflater() { return deflater_; }

 private:
  // A run that somebody was given whole, in this turn: many others are at the same place.
  struct Known {
    std::uint64_t from = 0;
    WireRun run;
  };

  WireRun find(const LogChunk& chunk, std::uint64_t from, std::uint64_t to);

  ShardStats& stats_;
  const Clock& clock_;
  Deflater deflater_;
  std::size_t bytes_left_ = kBytesPerTurn;  // in this turn
  Duration time_left_ = kTimePerTurn;
  std::array<Known, 4> known_;
  std::size_t next_known_ = 0;
};

}  // namespace syncrelay
