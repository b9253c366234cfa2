#include "syncrelay/shard/subscriptions.h"

#include "syncrelay/base/utf8.h"
#include "syncrelay/channel/tombstones.h"

namespace syncrelay {
namespace {

// What a client may have made up, of any length.
std::string_view shown(std::string_view channel) {
  constexpr std::size_t kShown = 64;
  return is_channel_name(channel) ? channel : cut_at_character(channel, kShown);
}

}  // namespace

void Subscriptions::subscribe(Session& session, const SubscribeMessage& wish) {
  end_dropped(session, wish.channel);
  if (const auto refused = refusal(session, wish.channel)) {
    counter(stats_.subscriptions_refused, *refused).add();
    session.count(StoryKind::subscription_refused, static_cast<std::uint64_t>(*refused),
                  shown(wish.channel));
    session.tell(refused_message(wish.channel, *refused));
  } else {
    follow(session, wish);
  }
  session.bound_untold();
}

void Subscriptions::follow_personal(Session& session, const SubscribeMessage& wish) {
  end_dropped(session, wish.channel);
  const ReplicaChannel* const channel = replica_.find(wish.channel);
  if (channel == nullptr || session.find(*channel) == nullptr) follow(session, wish);
}

void Subscriptions::follow(Session& session, const SubscribeMessage& wish) {
  ReplicaChannel* const found = replica_.find(wish.channel);
  ReplicaChannel& channel = found == nullptr ? replica_.make_local(wish.channel) : *found;
  Follower& follower = session.follow(channel, joining(wish, channel));
  if (follower.awaits()) early_.add(follower);
  stats_.subscriptions.add();
  count(wish.channel);
  if (Identity* const identity = session.identity()) identities_.follow(*identity, wish.channel);
}

std::optional<RefusedSubscription> Subscriptions::refusal(const Session& session,
                                                          std::string_view name) const {
  if (!name.empty() && !is_channel_name(name)) return RefusedSubscription::invalid_channel;
  const ReplicaChannel* const channel = replica_.find(name);
  if (channel != nullptr && session.find(*channel) != nullptr)
    return RefusedSubscription::already_subscribed;
  if (!allows(session, name)) return RefusedSubscription::forbidden;
  if (session.followers().size() >= rules_.max_per_client)
    return RefusedSubscription::too_many_subscriptions;
  if (channel == nullptr && replica_.local_channels() >= rules_.max_channels)
    return RefusedSubscription::channels_full;
  return std::nullopt;
}

// A position means something under the epoch that it was told with.
Follower::Joining Subscriptions::joining(const SubscribeMessage& wish,
                                         const ReplicaChannel& channel) const {
  if (!wish.after) return {wish.wants_resume};
  const auto generation = generation_of(wish.after->epoch, channel);
  if (!generation) return {wish.wants_resume, false, NoResume::other_epoch, 0, wish.after->seq};
  return {wish.wants_resume, true, NoResume::left_window, *generation, wish.after->seq};
}

// Which epoch of the channel it is: what it has, or, since another shard may have been faster, what
// it has when it comes again now, or after all that is known of channels that are gone was
// forgotten. Nullopt: none of these.
std::optional<std::uint32_t> Subscriptions::generation_of(const std::string& epoch,
                                                          const ReplicaChannel& channel) const {
  if (epoch == epoch_of(epoch_, channel.generation)) return channel.generation;
  if (!channel.name) return std::nullopt;
  const std::uint32_t newest = replica_.generation();
  for (const std::uint32_t later : {newest, newest + 1}) {
    if (epoch == epoch_of(epoch_, later)) return later;
  }
  return std::nullopt;
}

void Subscriptions::unsubscribe(Session& session, std::string_view name) {
  end_dropped(session, name);
  ReplicaChannel* const channel = replica_.find(name);
  Follower* const follower = channel == nullptr ? nullptr : session.find(*channel);
  if (follower != nullptr) {
    session.record(StoryKind::unfollowed, 0, 0, name);
    remove(*follower, Farewell::leave);
  }
  session.tell(unsubscribed_message(name, false, 0));
  session.bound_untold();
}

bool Subscriptions::allows(const Session& session, std::string_view name) const {
  const Speaker* const speaker = session.known_speaker();
  const bool by_token = speaker != nullptr && speaker->access && speaker->access->channels;
  if (by_token) return speaker->access->channels->match(name);
  return rules_.open.allows(name) || (name == kBenchChannel && is_known(name));
}

// Whether the relay has the channel: followers alone make none.
bool Subscriptions::is_known(std::string_view name) const {
  const ReplicaChannel* const channel = replica_.find(name);
  return channel != nullptr && channel->known;
}

void Subscriptions::end_forbidden(Session& session, std::string_view name) {
  ReplicaChannel* const channel = replica_.find(name);
  Follower* const follower = channel == nullptr ? nullptr : session.find(*channel);
  if (follower == nullptr) return;
  remove(*follower, Farewell::leave);
  counter(stats_.subscriptions_refused, RefusedSubscription::forbidden).add();
  session.record(StoryKind::revoked, 0, 0, name);
  session.tell(refused_message(name, RefusedSubscription::forbidden));
}

void Subscriptions::leave(Session& session, Farewell farewell) {
  while (!session.followers().empty()) remove(*session.followers().back(), farewell);
}

void Subscriptions::remove(Follower& follower, Farewell farewell) {
  ReplicaChannel& channel = follower.channel();
  const ChannelName name = channel.name;
  early_.remove(follower);
  if (Identity* const identity = follower.session().identity())
    identities_.unfollow(*identity, text(name), farewell);
  follower.session().unfollow(follower);
  stats_.subscriptions.subtract();
  replica_.release(channel);
  count(text(name));
}

// A channel of a name that is there again is another one than that which was dropped.
void Subscriptions::end_dropped(Session& session, std::string_view name) {
  for (const auto& channel : replica_.dropped()) {
    if (text(channel->name) != name) continue;
    if (Follower* const follower = session.find(*channel)) end_dropped(*follower);
  }
}

std::size_t Subscriptions::end_dropped(std::size_t count) {
  for (std::size_t index = 0; index < count;) {
    const ChannelFollowers& followers = replica_.dropped()[index]->followers;
    for (std::size_t at = followers.size(); at-- > 0;) {
      auto& follower = static_cast<Follower&>(followers[at]);
      Session& session = follower.session();
      const bool waits = session.waits_for_turn && follower.joining() == nullptr;
      if (waits && follower.pending()) continue;
      end_dropped(follower);
      session.pump();
    }
    if (followers.empty()) {
      replica_.forget_dropped(index);
      --count;
    } else {
      ++index;
    }
  }
  return count;
}

void Subscriptions::end_dropped(Follower& follower) {
  if (follower.awaits()) return follow_behind_drop(follower);
  const std::uint64_t skipped = follower.missing();
  Session& session = follower.session();
  session.tell(unsubscribed_message(text(follower.channel().name), true, skipped));
  session.record(StoryKind::dropped, skipped, 0, text(follower.channel().name));
  stats_.skipped_events.add(skipped);
  remove(follower, Farewell::leave);
}

// A client that is ahead of the channel's end has heard of the drop: it goes on in the channel of
// this name that comes behind it.
void Subscriptions::follow_behind_drop(Follower& follower) {
  Session& session = follower.session();
  const Follower::Joining asked = *follower.joining();
  const SubscribeMessage wish{std::string(text(follower.channel().name)), asked.wants_resume,
                              AskedPosition{epoch_of(epoch_, asked.generation), asked.after}};
  remove(follower, Farewell::leave);
  if (wish.channel.starts_with('@')) return follow_personal(session, wish);
  subscribe(session, wish);
}

void Subscriptions::count(std::string_view name) {
  const ReplicaChannel* const channel = replica_.find(name);
  outbox_.put(Subscribers{std::string(name), channel == nullptr ? 0 : channel->followers.size()});
  stats_.channels.set(replica_.channels());
}

}  // namespace syncrelay
