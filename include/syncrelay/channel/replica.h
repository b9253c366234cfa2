#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "syncrelay/channel/event_log.h"
#include "syncrelay/channel/restored.h"
#include "syncrelay/channel/state.h"
#include "syncrelay/post/update.h"

namespace syncrelay {

// A shard's copy of everything that a client may ask for: the state and the window of recent
// events, at the same point. Its shard's thread only; the values are shared with the other
// replicas.
class Replica {
 public:
  Replica(const std::vector<std::string>& configured_keys, EventLog::Bounds window);

  // Takes state change and event in one step, so that no client can see one without the other.
  void apply(const Update& update);

  // Goes on from an earlier life of the log. To be called before anything else.
  void restore(const Restored& restored);

  // A copy of it is cheap and keeps this moment.
  const State& state() const { return state_; }
  // Changes with every change of the state.
  std::uint64_t state_version() const { return state_version_; }
  const EventLog& log() const { return log_; }
  // See EventLog::keep_from().
  void keep_from(std::uint64_t position) { log_.keep_from(position); }

 private:
  State state_;
  std::uint64_t state_version_ = 0;
  EventLog log_;
};

}  // namespace syncrelay
