#pragma once

#include <cstdint>
#include <vector>

#include "syncrelay/shard/follower.h"

namespace syncrelay {

// Of the followers of one session that has several, those that have something to write: the ones
// without a first message in the order in which they came, the others by their place in the log. So
// events of several channels go out in the order in which the relay took them, without a queue, and
// what is due costs nothing for those that have nothing. Its shard's thread only.
class DueFollowers {
 public:
  // Takes it in if it has something to write and is not in.
  void add(Follower& follower);
  void remove(Follower& follower);

  bool empty() const { return joining_.empty() && live_.empty(); }

  // Null: none. It is to go_on() before the next call, and then moved().
  Follower* joining() const { return joining_.empty() ? nullptr : joining_.front(); }
  void joined();

  // The one whose next byte comes first in the log; null: none. When it has moved on, moved() is to
  // be called.
  Follower* first() const { return live_.empty() ? nullptr : live_.front().follower; }
  void moved();
  // One of them, not only the first, moved back.
  void moved_back(Follower& follower);

  std::uint64_t lag() const;

  // The place from which the first of those will go on that the log still holds; UINT64_MAX: none.
  std::uint64_t needed_from() const;

 private:
  struct Live {
    std::uint64_t place;
    Follower* follower;
    friend bool operator<(const Live& left,
                          const Live& right) {  // a heap has the greatest in front
      return left.place > right.place;
    }
  };
  void add_live(Follower& follower);

  std::vector<Follower*> joining_;
  std::vector<Live> live_;  // a heap
};

}  // namespace syncrelay
