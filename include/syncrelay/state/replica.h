#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "syncrelay/protocol/update.h"
#include "syncrelay/state/event_log.h"

namespace syncrelay {

// A shard's copy of everything that a client may ask for: the state and the window of recent
// events, at the same point. Its shard's thread only; the values are shared with the other
// replicas.
class Replica {
 public:
  using State = std::map<std::string, StateValue>;

  Replica(const std::vector<std::string>& configured_keys, EventLog::Bounds window);

  // Takes state change and event in one step, so that no client can see one without the other.
  void apply(const Update& update);

  // Goes on from an earlier life of the log, of which `updates` are left and `last` was the newest
  // event. To be called before anything else.
  void restore(std::span<const Update> updates, Seq last);

  const State& state() const { return state_; }
  // Changes with every change of the state.
  std::uint64_t state_version() const { return state_version_; }
  const EventLog& log() const { return log_; }

 private:
  State state_;
  std::uint64_t state_version_ = 0;
  EventLog log_;
};

}  // namespace syncrelay
