#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>

#include "syncrelay/base/ring.h"

namespace syncrelay {

class Session;

// The sessions whose transports take bytes and that have more of a snapshot to write. They take
// turns of a few fragments each; in one turn of the shard all together write kBytesPerTurn, so that
// events to other clients, reads and accepts need not wait for them. Bounded by the sessions, each
// of which is in it once. Its shard's thread only.
class SnapshotTurns {
 public:
  static constexpr std::size_t kBytesPerTurn = 1024 * 1024;  // well under a millisecond
  static constexpr std::size_t kBytesPerSession = 256 * 1024;

  // `wake` is called when somebody waits again: run() is due.
  explicit SnapshotTurns(std::function<void()> wake) : wake_(std::move(wake)) {}

  void add(Session& session);
  void remove(Session& session);

  // A turn of the shard; returns the bytes that were encoded or offered.
  std::size_t run();

  bool empty() const { return waiting_.empty(); }

  // Those that wait here are not slow: the oldest place in the log, of those that it holds, from
  // which they will go on; EventLog::kKeepNothing when there is none.
  std::uint64_t needed_from() const;

 private:
  Session& take_first();
  void enqueue(Session& session);

  const std::function<void()> wake_;
  Ring<Session*> waiting_;
};

}  // namespace syncrelay
