#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "syncrelay/base/clock.h"
#include "syncrelay/base/ids.h"
#include "syncrelay/base/prefetch.h"
#include "syncrelay/base/ring.h"

namespace syncrelay {

// Remembers the ids of recent commands and what was answered, so that a repetition takes no effect.
// An id is staged until its batch is stored; only then do older ids go for it, so that a batch that
// is refused leaves the window as it was. Bounded by count (staged ones come on top) and by age,
// whichever ends first. Times are a running time that never goes back, from whatever beginning.
// Relay thread only.
class IdWindow {
 public:
  struct Bounds {
    std::uint64_t ids;
    Duration age;
  };

  // What is known of an id: the position that was answered to its command.
  struct Known {
    Seq seq;
    bool staged;  // what becomes of the command is not decided yet
  };

  explicit IdWindow(Bounds bounds) : bounds_(bounds) {}

  // nullopt when the id is not known (any more).
  std::optional<Known> find(std::string_view id, Duration now) const;

  // Precondition: find(id) is nullopt; `accepted` is not before that of earlier calls.
  void stage(std::string_view id, Seq seq, Duration accepted);

  // What is staged stays; the oldest go for it.
  void keep_staged();
  // What is staged was never there.
  void take_back_staged();

  std::size_t size() const { return order_.size(); }

  // Calls `visit(id, seq, accepted)` for each, the oldest first.
  template <typename Visit>
  void for_each(Visit visit) const {
    constexpr std::size_t kAhead = 8;
    for (std::size_t index = 0; index < order_.size(); ++index) {
      if (index + kAhead < order_.size()) prefetch(order_[index + kAhead], sizeof(*order_[index]));
      if (index + kAhead / 2 < order_.size()) prefetch(order_[index + kAhead / 2]->first.data(), 1);
      visit(order_[index]->first, order_[index]->second.seq, order_[index]->second.accepted);
    }
  }

 private:
  struct Entry {
    Seq seq;
    Duration accepted;
    bool staged;
  };
  // Lets string_view look up without a copy.
  struct Hash : std::hash<std::string_view> {
    using is_transparent = void;
  };
  using Index = std::unordered_map<std::string, Entry, Hash, std::equal_to<>>;

  void forget_oldest();

  const Bounds bounds_;
  Index index_;
  Ring<Index::pointer> order_;  // oldest first; nodes of the index stay where they are
  std::size_t staged_ = 0;      // at the end of the order
};

}  // namespace syncrelay
