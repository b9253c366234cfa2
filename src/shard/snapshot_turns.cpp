#include "syncrelay/shard/snapshot_turns.h"

#include <algorithm>

#include "syncrelay/channel/event_log.h"
#include "syncrelay/shard/session.h"

namespace syncrelay {

void SnapshotTurns::add(Session& session) {
  const bool was_empty = waiting_.empty();
  enqueue(session);
  if (was_empty) wake_();
}

void SnapshotTurns::enqueue(Session& session) {
  if (session.waits_for_turn) return;
  session.waits_for_turn = true;
  waiting_.push_back(&session);
}

Session& SnapshotTurns::take_first() {
  Session& session = *waiting_.front();
  waiting_.pop_front();
  session.waits_for_turn = false;
  return session;
}

void SnapshotTurns::remove(Session& session) {
  if (!session.waits_for_turn) return;
  for (std::size_t count = waiting_.size(); count > 0; --count) {
    Session& other = take_first();
    if (&other != &session) enqueue(other);
  }
}

std::size_t SnapshotTurns::run() {
  std::size_t bytes = 0;
  while (!waiting_.empty() && bytes < kBytesPerTurn) {
    Session& session = take_first();
    bytes += session.write_snapshot(std::min(kBytesPerSession, kBytesPerTurn - bytes));
    if (session.has_snapshot_to_write()) enqueue(session);
  }
  return bytes;
}

std::uint64_t SnapshotTurns::needed_from() const {
  std::uint64_t from = EventLog::kKeepNothing;
  for (std::size_t index = 0; index < waiting_.size(); ++index)
    from = std::min(from, waiting_[index]->needed_from());
  return from;
}

}  // namespace syncrelay
