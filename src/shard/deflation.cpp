#include "syncrelay/shard/deflation.h"

#include <algorithm>

namespace syncrelay {

void Deflation::begin_turn() {
  bytes_left_ = kBytesPerTurn;
  time_left_ = kTimePerTurn;
  known_ = {};
}

std::string_view Deflation::deflate(std::string_view text) {
  if (bytes_left_ == 0) return {};
  const TimePoint begin = clock_.now();
  deflater_.begin();
  deflater_.add(text);
  const std::string_view deflated = deflater_.end();
  time_left_ -= clock_.now() - begin;
  const bool goes_on = time_left_ > Duration::zero();
  bytes_left_ = goes_on ? bytes_left_ - std::min(bytes_left_, text.size()) : 0;
  return deflated;
}

WireRun Deflation::find(const LogChunk& chunk, std::uint64_t from, std::uint64_t to) {
  Deflating work{deflater_, bytes_left_, &clock_, time_left_};
  const WireRun run = chunk.deflated().run(chunk, from, to, work);
  bytes_left_ = work.bytes_left;
  time_left_ = work.time_left;
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
