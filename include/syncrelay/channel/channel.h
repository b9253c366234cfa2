#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "syncrelay/base/clock.h"
#include "syncrelay/base/ids.h"
#include "syncrelay/base/result.h"
#include "syncrelay/channel/state.h"
#include "syncrelay/post/update.h"
#include "syncrelay/protocol/command.h"
#include "syncrelay/protocol/rejection.h"
#include "syncrelay/protocol/server_message.h"

namespace syncrelay {

// What commands make of a state, and what clients hear of it. Pure: it reads no clock and knows no
// shard, store or socket, so that the same commands at the same times give the same state, seq and
// wire bytes wherever they are applied.
//
// What is applied is provisional until keep(): take_back() makes it undone, as if none of it had
// come. One thread at a time.
class Channel {
 public:
  struct Settings {
    std::vector<std::string> state_keys;  // these exist from the start, as null, and never go
    std::uint64_t max_state_bytes = UINT64_MAX;  // keys and values together
    std::uint64_t max_state_keys = UINT64_MAX;
  };

  // What one command did. `event` holds until the next call.
  struct Effect {
    std::shared_ptr<const StateChanges> changes;  // null: none
    EventEncoder::Pieces event;                   // empty: none
    Seq seq;                                      // of the event, or of the newest one before it
  };

  explicit Channel(const Settings& settings);

  // Goes on from an earlier life: what its state had, and its newest event. To be called before
  // anything else.
  void restore(const StateChanges& state, Seq last);

  // `ts` is when the command was accepted. A rejected one has changed nothing. Precondition: the
  // command is no query.
  Result<Effect, Rejection> apply(const Command& command, WallTime ts);

  void keep();
  void take_back();

  Seq last() const { return last_; }       // of the newest event
  Seq kept() const { return kept_last_; }  // the same as of the last keep()
  const State& state() const { return state_; }

 private:
  Result<StateChanges, Rejection> changes_of(const Command& command) const;
  Result<StateChanges, Rejection> merged(const Command& command) const;
  StateChanges removed(const std::string& key) const;
  std::optional<Rejection> check_room(const StateChanges& changes) const;
  void take_in(const StateChanges& changes);
  bool is_configured(const std::string& key) const { return configured_keys_.count(key) != 0; }

  const Settings settings_;
  const std::set<std::string> configured_keys_;
  State state_;
  Seq last_{0};
  Seq kept_last_{0};
  StateChanges undo_;  // to be applied from the back
  EventEncoder encoder_;
};

}  // namespace syncrelay
