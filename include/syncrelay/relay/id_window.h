#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "syncrelay/base/clock.h"
#include "syncrelay/base/ids.h"
#include "syncrelay/base/ring.h"

namespace syncrelay {

// Remembers the ids of recent commands and what was answered, so that a repetition takes no effect.
// Bounded by count and by age, whichever ends first. Relay thread only.
class IdWindow {
 public:
  struct Bounds {
    std::uint64_t ids;
    Duration age;
  };

  explicit IdWindow(Bounds bounds) : bounds_(bounds) {}

  // The position that was answered to the command with this id; nullopt when it is not known (any
  // more).
  std::optional<Seq> find(std::string_view id, TimePoint now) const;

  // Precondition: find(id) is nullopt; `accepted` is not before that of earlier calls.
  void add(std::string_view id, Seq seq, TimePoint accepted);

  // Takes the newest `count` that were added back; of more than the window holds, all that it
  // holds.
  void forget_newest(std::size_t count);

  std::size_t size() const { return order_.size(); }

 private:
  struct Entry {
    Seq seq;
    TimePoint accepted;
  };
  // Lets string_view look up without a copy.
  struct Hash : std::hash<std::string_view> {
    using is_transparent = void;
  };
  using Index = std::unordered_map<std::string, Entry, Hash, std::equal_to<>>;

  void evict(TimePoint now);

  const Bounds bounds_;
  Index index_;
  Ring<Index::const_pointer> order_;  // oldest first; nodes of the index stay where they are
};

}  // namespace syncrelay
