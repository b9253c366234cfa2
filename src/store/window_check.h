#pragma once

#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "syncrelay/relay/store.h"

namespace syncrelay {

// What the events of a channel lie between.
struct Bounds {
  Seq start;
  Seq last;
};
using BoundsByName = std::unordered_map<std::string, Bounds>;

// Leaves only the events of channels that are there, and of their present life: a channel that was
// dropped, or forgotten together with all tombstones, may have been made anew under the same name,
// even with the same seqs. Its present life is what is newest. What is left of a channel is
// contiguous and ends at its last; else the answer says what is wrong. Precondition: each wire
// holds as many whole messages as its runs say.
std::optional<std::string> keep_present_life(std::vector<StoredEvents>& events,
                                             BoundsByName channels);

}  // namespace syncrelay
