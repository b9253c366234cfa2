#pragma once

#include <compare>
#include <cstdint>

namespace syncrelay {

// The number of an event in the log. The first event is 1; 0 is the position before it.
struct Seq {
  std::uint64_t value = 0;

  friend auto operator<=>(const Seq&, const Seq&) = default;
  Seq next() const { return {value + 1}; }
  Seq previous() const { return {value - 1}; }
};

// How many events lie in [from, to). Precondition: from <= to.
inline std::uint64_t distance(Seq from, Seq to) {
  return to.value - from.value;
}

// Names one accepted connection for the life of the process; never used again.
struct ConnectionId {
  std::uint64_t value = 0;

  friend auto operator<=>(const ConnectionId&, const ConnectionId&) = default;
};

}  // namespace syncrelay
