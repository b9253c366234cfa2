#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "syncrelay/base/clock.h"

namespace syncrelay {

// A relay for as long as it is not declared gone; random, never used again. Sixteen hex digits as
// text.
struct NodeId {
  std::uint64_t value = 0;

  friend auto operator<=>(const NodeId&, const NodeId&) = default;
  std::string text() const;
  static std::optional<NodeId> parse(std::string_view text);
  static NodeId random();
};

// Where an entry stands in the stream. They grow, also from one epoch to the next.
struct EntryId {
  std::uint64_t milliseconds = 0;  // since 1970, by the clock of the Redis that took it
  std::uint64_t seq = 0;           // within the millisecond

  friend auto operator<=>(const EntryId&, const EntryId&) = default;
  std::string text() const;  // "1763838000123-0"
  static std::optional<EntryId> parse(std::string_view text);

  // The time of what the entry says, the same for all that read it.
  WallTime ts() const;
  // The time by which what the cluster remembers grows old. It never goes back, but where
  // StateLoaded puts another history in the place of this relay's own.
  Duration at() const;
};

// What a ClusterLog tells its user, in order. The user's state after an event is that of every
// other relay that was told the same.

// Letters that a relay appended.
struct LettersCame {
  EntryId id;
  NodeId from;
  std::uint64_t own_appends = 0;  // calls of append() that it consists of; 0: another relay's
  std::string data;               // what they were called with, one behind the other
};

// That relay is dead, or has stopped: nothing comes from it any more. Comes once for each relay.
struct RelayGone {
  EntryId id;
  NodeId relay;
};

// A new epoch: no position of an earlier one has a meaning any more. The state goes on.
struct EpochFounded {
  EntryId id;
  std::string epoch;  // sixteen hex digits
};

// The state is another one, whatever came before: what a user gave to put_checkpoint(), to be told
// under this epoch, which may be newer than the one under which it was made.
struct StateLoaded {
  EntryId id;
  std::string epoch;
  std::string state;
  std::uint64_t own_appends = 0;  // happened in it: they will not come any more
};

// This relay was declared gone and lives, under another id. Its members have lost their home.
struct OwnIdChanged {
  NodeId relay;
  std::uint64_t own_appends = 0;  // happened before it was gone, and will not come any more
};

// The user is to call put_checkpoint() with this number and the state behind all that came before
// this event.
struct CheckpointWanted {
  std::uint64_t number = 0;
};

// All that was in the log when this relay started has come.
struct CaughtUp {
  WallTime now;  // by the clock of Redis, when it was found where the log ended
};

// The relay cannot take part, ever: it has to end. Nothing comes after it.
struct LogFailed {
  std::string why;
};

using ClusterEvent = std::variant<LettersCame, RelayGone, EpochFounded, StateLoaded, OwnIdChanged,
                                  CheckpointWanted, CaughtUp, LogFailed>;

// Bytes that it holds in memory, for the bound of the mailbox.
std::size_t weight(const ClusterEvent& event);

}  // namespace syncrelay
