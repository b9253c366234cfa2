#pragma once

#include <cstddef>
#include <unordered_map>

namespace syncrelay {

class Follower;

// Those who ask to go on from behind the end of their channel's log, since they heard the newest of
// it from another shard, to which it came sooner. They wait here until it has come, which is
// microseconds to milliseconds, so that nothing is told them twice; who waits in vain, having made
// its position up, is given a snapshot at the fourth tick of the shard, within a second. Ticks and
// not time: a shard that is busy has taken in at every one what came before it. Bounded: beyond
// kMax nobody is waited for. Its shard's thread only.
class EarlyFollowers {
 public:
  static constexpr std::size_t kMax = 10'000;
  static constexpr int kTicks = 4;

  // It waits from now on, if there is room. Precondition: it awaits.
  void add(Follower& follower);
  // To be called before any follower is gone.
  void remove(Follower& follower) {
    if (!ticks_left_.empty()) ticks_left_.erase(&follower);
  }

  // Has those write whose time is over, and forgets those that wait no more.
  void tick();

  std::size_t size() const { return ticks_left_.size(); }

 private:
  std::unordered_map<Follower*, int> ticks_left_;
};

}  // namespace syncrelay
