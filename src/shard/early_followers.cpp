#include "syncrelay/shard/early_followers.h"

#include <iterator>

#include "syncrelay/shard/follower.h"
#include "syncrelay/shard/session.h"

namespace syncrelay {

void EarlyFollowers::add(Follower& follower) {
  if (ticks_left_.size() < kMax) {
    ticks_left_.emplace(&follower, kTicks);
  } else {
    follower.session().stop_awaiting(follower);
  }
}

void EarlyFollowers::tick() {
  for (auto early = ticks_left_.begin(); early != ticks_left_.end();) {
    Follower& follower = *early->first;
    const bool is_over = follower.awaits() && --early->second == 0;
    if (is_over) follower.session().stop_awaiting(follower);
    early = follower.awaits() ? std::next(early) : ticks_left_.erase(early);
  }
}

}  // namespace syncrelay
