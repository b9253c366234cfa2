#pragma once

#include <optional>

#include "redis/log_server.h"
#include "redis/log_shared.h"

namespace syncrelay {

// Gives signs of life, has those declared gone that give none, and writes the checkpoints of this
// relay's turns. A thread of its own.
class Keeper {
 public:
  explicit Keeper(LogShared& shared) : shared_(shared) {}

  void run();  // until the log stops; then it leaves the cluster

 private:
  static constexpr Duration kPause = std::chrono::milliseconds(200);

  void tend(const Session& session);
  bool beat_if_due(const Session& session);
  Duration pause(const Session& session) const;
  void write(CheckpointDesk::Made made);
  void record(const CheckpointDesk::Made& made, const CheckpointRecord& written);
  void count(CheckpointOutcome outcome);
  void fail();
  void leave();

  LogShared& shared_;
  std::optional<LogServer> server_;
  std::uint64_t session_ = 0;  // in which it has given a sign of life
  TimePoint next_beat_;
};

}  // namespace syncrelay
