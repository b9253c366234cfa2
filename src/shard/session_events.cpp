// What a session writes of the log.

#include <vector>

#include "syncrelay/shard/session.h"

namespace syncrelay {

bool Session::write_of_one(Follower& follower) {
  if (!follower.has_work()) return false;
  if (follower.joining() != nullptr) {
    begin(follower);
    return true;
  }
  if (catch_up(follower)) return true;
  const Seq first = follower.next();
  const Run run = follower.channel().log.read(first);
  const Written written = write(*run.chunk, run.begin, run.end);
  if (written.all() && written.run.behind == run.end) {
    follower.go_on(run.behind);
    context_.stats.frames_sent.add(distance(first, run.behind));
  } else {
    stop_inside(follower, position(*run.chunk, run.begin, written), written);
  }
  return true;
}

// Offers as much of the log from `begin` to `end` as goes at once.
Session::Written Session::write(const LogChunk& chunk, std::uint64_t begin, std::uint64_t end) {
  const WireRun run = outlet_.deflates() ? context_.deflation.run(chunk, begin, end)
                                         : WireRun{chunk.read(begin, end), end};
  return {run, outlet_.write(run.bytes)};
}

// Where that ended in the log, or somewhere in the event that was cut.
std::uint64_t Session::position(const LogChunk& chunk, std::uint64_t begin,
                                const Written& written) {
  if (written.all()) return written.run.behind;
  if (!written.run.deflated) return begin + written.bytes;
  return chunk.deflated().event_at(chunk, written.run.bytes.data() + written.bytes).position;
}

bool Session::write_of_several() {
  if (Follower* const joining = due_->joining()) {
    begin(*joining);
    due_->joined();
    return true;
  }
  pick_runs();
  const std::vector<Pick>& picks = context_.picks;
  if (picks.empty()) {
    Follower* const first = due_->first();
    if (first == nullptr || !catch_up(*first)) return false;
    due_->moved();
    return true;
  }
  const Run& begin = picks.front().run;
  const std::uint64_t end = picks.back().run.end;
  const Written written = write(*begin.chunk, begin.begin, end);
  stop_inside_picks(position(*begin.chunk, begin.begin, written), written);
  return true;
}

// What lies one behind the other in one chunk, of whichever followers, in the order of the log; and
// moves them behind it.
void Session::pick_runs() {
  std::vector<Pick>& picks = context_.picks;
  picks.clear();
  while (Follower* const follower = due_->first()) {
    if (!follower->in_window()) return;
    const Seq first = follower->next();
    const Run run = follower->channel().log.read(first, context_.noted_until);
    if (run.chunk == nullptr) return;
    const bool goes_on =
        picks.empty() || (picks.back().run.chunk == run.chunk && picks.back().run.end == run.begin);
    if (!goes_on) return;
    picks.push_back({follower, first, run});
    follower->go_on(run.behind);
    due_->moved();
  }
}

// What was picked is gone up to `position`; those that have the rest move back to where theirs
// begins, the first of them to where it was left.
void Session::stop_inside_picks(std::uint64_t position, const Written& written) {
  std::vector<Pick>& picks = context_.picks;
  auto first = picks.begin();
  for (; first != picks.end() && first->run.end <= position; ++first)
    context_.stats.frames_sent.add(distance(first->first, first->run.behind));
  if (first == picks.end()) return;
  for (auto pick = picks.end(); pick != first;) {
    --pick;
    pick->follower->go_on(pick->first);
  }
  stop_inside(*first->follower, position, written);
  for (auto pick = first; pick != picks.end(); ++pick) due_->moved_back(*pick->follower);
}

// The follower's events are written up to the one at `position`. If that is cut, ends the frame
// there and waits.
void Session::stop_inside(Follower& follower, std::uint64_t position, const Written& written) {
  const LoggedEvent event = follower.channel().log.event_at(position);
  context_.stats.frames_sent.add(distance(follower.next(), event.seq));
  if (written.all()) return follower.go_on(event.seq);
  const std::byte* const stop = written.run.bytes.data() + written.bytes;
  const ByteSpan frames = written.run.deflated
                              ? event.chunk->deflated().event_at(*event.chunk, stop).bytes
                              : event.chunk->read(event.begin, event.end);
  const bool begun = outlet_.stop_in(frames, static_cast<std::size_t>(stop - frames.data()),
                                     context_.log.chunk_of(event));
  follower.go_on(begun ? event.seq.next() : event.seq);
}

}  // namespace syncrelay
