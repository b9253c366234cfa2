#pragma once

#include <cstdint>
#include <optional>
#include <variant>

#include "syncrelay/base/ids.h"
#include "syncrelay/channel/replica_channel.h"
#include "syncrelay/post/story.h"

namespace syncrelay {

class Session;

// One subscription: a place in one channel's log. It writes nothing; its session does. Its shard's
// thread only.
class Follower final : public ChannelFollower {
 public:
  // Nothing is sent yet.
  struct Joining {
    bool wants_resume = false;
    bool has_position = false;  // under an epoch that the channel has, or may be about to have
    NoResume otherwise = NoResume::no_position;  // why it gets a snapshot, if it does
    std::uint32_t generation = 0;                // of that epoch
    Seq after{0};
  };
  // The first message is sent or on its way.
  struct Live {
    Seq next;  // the event that the client gets next
  };

  // Both outlive it.
  Follower(Session& session, ReplicaChannel& channel, Joining joining)
      : numbering_(channel.numbering),
        session_(session),
        channel_(channel),
        phase_(std::in_place_type<Joining>, joining) {
    channel.followers.add(*this);
  }
  ~Follower() { channel_.followers.remove(*this); }

  Session& session() const { return session_; }
  ReplicaChannel& channel() const { return channel_; }

  const Joining* joining() const { return std::get_if<Joining>(&phase_); }
  // Where the client asked to go on, while the log holds that.
  std::optional<Seq> resumes_after() const {
    const Joining* const asked = joining();
    const bool can = asked != nullptr && is_of_channel(*asked) && asked->after <= channel_.last() &&
                     channel_.log.holds(asked->after.next());
    return can ? std::optional(asked->after) : std::nullopt;
  }
  // It has no first message yet because another shard was faster: the client has heard what is
  // still on its way here, and goes on when that has come.
  bool awaits() const {
    const Joining* const asked = joining();
    if (asked == nullptr || !asked->has_position) return false;
    return is_of_channel(*asked) ? channel_.last() < asked->after
                                 : channel_.generation < asked->generation;
  }
  // From now on it is as if the client had no position that is known. Precondition: awaits().
  void stop_awaiting() {
    auto& asked = std::get<Joining>(phase_);
    asked.has_position = false;
    asked.otherwise = NoResume::not_reached;
  }
  // Why it does not go on where it asked to. Precondition: it is joining.
  NoResume no_resume() const {
    const Joining& asked = *joining();
    return asked.has_position && !is_of_channel(asked) ? NoResume::other_epoch : asked.otherwise;
  }

  // Sends it on from event `next`.
  void go_on(Seq next) {
    phase_.emplace<Live>(Live{next});
    numbering_ = channel_.numbering;
  }
  // Precondition: it is live.
  Seq next() const { return std::get<Live>(phase_).next; }

  // The channel's numbers began anew behind the client's back, before anything was in it.
  bool renumbered() const { return numbering_ != channel_.numbering; }
  // All since then is held. Precondition: renumbered().
  bool can_begin_anew() const { return channel_.log.holds(channel_.begin); }
  // The log holds all that the client has still to get. Precondition of both: it is live.
  bool in_window() const { return !renumbered() && channel_.log.holds(next()); }
  bool pending() const { return next() != channel_.log.next() || renumbered(); }

  // There is something to write.
  bool has_work() const { return joining() != nullptr ? !awaits() : pending(); }

  // Events that the client is behind.
  std::uint64_t lag() const {
    if (joining() != nullptr) return 0;
    return distance(renumbered() ? channel_.begin : next(), channel_.log.next());
  }

  // Events that it does not get when its channel ends now: one that is joining has a position, too.
  std::uint64_t missing() const {
    const Joining* const asked = joining();
    if (asked == nullptr) return lag();
    const bool known = is_of_channel(*asked) && asked->after <= channel_.last();
    return known ? distance(asked->after, channel_.last()) : 0;
  }

  // Where in the log the client goes on; before everything else when that is not there any more.
  // Precondition: pending().
  std::uint64_t place() const { return in_window() ? channel_.log.begin_of(next()) : 0; }

  // Its first message, or an event that begins before `position` in the log, is still to be
  // written.
  bool owes_before(std::uint64_t position) const {
    return has_work() && (joining() != nullptr || place() < position);
  }

  // Whether it is in there; DueFollowers' to keep.
  bool due = false;

 private:
  // The position lies in the channel as it is now.
  bool is_of_channel(const Joining& asked) const {
    return asked.has_position && asked.generation == channel_.generation;
  }

  std::uint32_t numbering_;
  Session& session_;
  ReplicaChannel& channel_;
  std::variant<Joining, Live> phase_;
};

static_assert(sizeof(Follower) <= 56, "every connection has one");

}  // namespace syncrelay
