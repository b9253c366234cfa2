#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "syncrelay/channel/replica.h"
#include "syncrelay/metrics/stats.h"
#include "syncrelay/post/outbox.h"
#include "syncrelay/protocol/channel_name.h"
#include "syncrelay/protocol/client_message.h"
#include "syncrelay/protocol/server_message.h"
#include "syncrelay/shard/early_followers.h"
#include "syncrelay/shard/identities.h"
#include "syncrelay/shard/session.h"

namespace syncrelay {

// Who may follow which channel, and how many of them.
struct SubscriptionRules {
  ChannelRule open{{}};
  std::size_t max_per_client = 128;
  // That are there only because somebody follows them. In each shard.
  std::size_t max_channels = 100'000;
};

// Who follows what: takes what clients ask for, makes channels for them and lets go of those that
// nobody needs, and tells the relay how many follow each, and where members are kept, who. Its
// shard's thread only.
//
// A client that asks faster than it reads is closed: what it is told of its wishes is bounded.
class Subscriptions {
 public:
  // All must outlive it.
  Subscriptions(const SubscriptionRules& rules, const std::string& epoch, Replica& replica,
                Identities& identities, Outbox& outbox, ShardStats& stats)
      : rules_(rules),
        epoch_(epoch),
        replica_(replica),
        identities_(identities),
        outbox_(outbox),
        stats_(stats) {}

  // Each answers, to be written by the session's next pump() or sooner.
  void subscribe(Session& session, const SubscribeMessage& wish);
  void unsubscribe(Session& session, std::string_view name);

  // The session's identity is known, whose own channel this is: it follows that, unless it does
  // already. No rule refuses it.
  void follow_personal(Session& session, const SubscribeMessage& wish);

  // Whether the rule for everybody, or its token in the place of that, lets it follow the channel.
  bool allows(const Session& session, std::string_view name) const;
  bool is_known(std::string_view name) const;
  // It is not allowed any more: it follows the channel no longer, and is told.
  void end_forbidden(Session& session, std::string_view name);

  // The session is about to end.
  void leave(Session& session, Farewell farewell);

  // To be called at every tick of the shard.
  void tick() { early_.tick(); }

  // To be called when all that came before the end of the `count` oldest channels of
  // Replica::dropped() was written to whoever takes it: tells their followers. Returns how many of
  // them stay, because somebody has to wait for his turn before he gets it.
  std::size_t end_dropped(std::size_t count);

 private:
  std::optional<RefusedSubscription> refusal(const Session& session, std::string_view name) const;
  void end_dropped(Session& session, std::string_view name);
  void end_dropped(Follower& follower);
  void follow_behind_drop(Follower& follower);
  void follow(Session& session, const SubscribeMessage& wish);
  void remove(Follower& follower, Farewell farewell);
  Follower::Joining joining(const SubscribeMessage& wish, const ReplicaChannel& channel) const;
  std::optional<std::uint32_t> generation_of(const std::string& epoch,
                                             const ReplicaChannel& channel) const;
  void count(std::string_view name);

  const SubscriptionRules& rules_;
  const std::string& epoch_;  // of the log
  Replica& replica_;
  Identities& identities_;
  Outbox& outbox_;
  ShardStats& stats_;
  EarlyFollowers early_;
};

}  // namespace syncrelay
