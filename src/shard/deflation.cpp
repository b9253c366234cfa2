#include "syncrelay/shard/deflation.h"

#include <algorithm>

namespace syncrelay {

void Deflation::begin_turn() {
  bytes_left_ = kBytesPerTurn;
  known_ = {};
}

bool Deflation::may_deflate(std::size_t bytes) {
  if (bytes_left_ == 0) return false;
  bytes_left_ -= std::min(bytes_left_, bytes);
  return true;
}

WireRun Deflation::find(const LogChunk& chunk, std::uint64_t from, std::uint64_t to) {
  Deflating work{deflater_, bytes_left_};
  const WireRun run = chunk.deflated().run(chunk, from, to, work);
  bytes_left_ = work.bytes_left;
  stats_.deflated_events.add(work.events);
  stats_.deflated_plain_bytes.add(work.plain_bytes);
  stats_.deflated_wire_bytes.add(work.wire_bytes);
  stats_.undeflated_events.add(work.events_left);
  if (run.behind != to) return run;
  known_[next_known_] = {from, run};
  next_known_ = (next_known_ + 1) % known_.size();
  return run;
}

}  // namespace syncrelay
