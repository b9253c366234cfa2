#pragma once

#include <cstddef>
#include <vector>

#include "syncrelay/channel/channel_followers.h"
#include "syncrelay/shard/follower.h"

namespace syncrelay {

// Whom a pass of the shard visits, in order. While one is visited, what the next ones will touch is
// fetched: the follower, then its session and its channel's log, then the session's transport, each
// of which only the one before knows where to find. Its shard's thread only.
class Visits {
 public:
  void clear() { followers_.clear(); }
  // All of a channel, who must not change until clear().
  void add(const ChannelFollowers& followers);

  std::size_t size() const { return followers_.size(); }
  // Precondition: index < size(); they are asked for in turn.
  Follower& operator[](std::size_t index) const;

 private:
  std::vector<Follower*> followers_;
};

}  // namespace syncrelay
