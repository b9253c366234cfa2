#include "syncrelay/shard/visits.h"

#include "syncrelay/base/prefetch.h"
#include "syncrelay/shard/session.h"

namespace syncrelay {
namespace {

constexpr std::size_t kTransportAhead = 1;
constexpr std::size_t kSessionAhead = 2;
constexpr std::size_t kFollowerAhead = 3;

}  // namespace

void Visits::add(const ChannelFollowers& followers) {
  for (std::size_t index = 0; index < followers.size(); ++index)
    followers_.push_back(&static_cast<Follower&>(followers[index]));
}

Follower& Visits::operator[](std::size_t index) const {
  const std::size_t left = followers_.size() - index;
  if (left > kFollowerAhead) prefetch(followers_[index + kFollowerAhead], sizeof(Follower));
  if (left > kSessionAhead) {
    const Follower& follower = *followers_[index + kSessionAhead];
    prefetch(&follower.session(), Session::kVisitedBytes);
    prefetch(&follower.channel(), ReplicaChannel::kVisitedBytes);
  }
  if (left > kTransportAhead) {
    const Follower& follower = *followers_[index + kTransportAhead];
    prefetch(&follower.session().transport(), Transport::kVisitedBytes);
    follower.channel().log.prefetch_newest();
  }
  return *followers_[index];
}

}  // namespace syncrelay
