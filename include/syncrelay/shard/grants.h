#pragma once

#include <cstdint>
#include <memory>
#include <set>
#include <utility>
#include <vector>

#include "syncrelay/base/clock.h"
#include "syncrelay/protocol/access.h"
#include "syncrelay/protocol/client_message.h"
#include "syncrelay/shard/session.h"
#include "syncrelay/shard/speakers.h"
#include "syncrelay/shard/subscriptions.h"

namespace syncrelay {

// What clients' tokens grant them, and for how long: warns a client before the end, and closes it
// then unless it has brought a newer token. Its shard's thread only.
class Grants {
 public:
  // Before the end. When tokens of many end together, the warnings are spread between these two,
  // and with them the requests for newer tokens.
  static constexpr Duration kEarliestWarning = std::chrono::seconds(60);
  static constexpr Duration kLatestWarning = std::chrono::seconds(30);

  // How long before the end this connection is warned. Of connections that came one after the other
  // no two are close.
  static Duration warning_time(ConnectionId id);

  // All must outlive it.
  Grants(Speakers& speakers, Subscriptions& subscriptions, const Clock& clock)
      : speakers_(speakers), subscriptions_(subscriptions), clock_(clock) {}

  // The session begins with this. Null: without a token. To be called before it follows anything.
  void begin(Session& session, std::shared_ptr<const Access> access);

  // Whether the name is that of the channel which the session's token makes its own.
  static bool is_own(const Session& session, std::string_view name);

  // Behind its first subscriptions: it follows its own channel, from the position that one of the
  // wishes has.
  void follow_personal(Session& session, const std::vector<SubscribeMessage>& wishes);

  // Whether the token is to be looked at, which costs something. If not, the client is told.
  bool may_renew(Session& session, const TokenMessage& message);

  // A newer token was taken. It stops following what that does not allow.
  void renew(Session& session, const TokenMessage& message, std::shared_ptr<const Access> access);
  // None was: no keys are there to look at it with, or it is not good.
  void renew_nothing(Session& session, const TokenMessage& message);
  void refuse(Session& session, const TokenMessage& message, RefusedMessage why);

  // To be called several times a second.
  void tick();

  void leave(Session& session);

 private:
  void take(Session& session, std::shared_ptr<const Access> access);
  void schedule(Session& session, TimePoint at);
  void warn(Session& session);
  std::uint64_t seconds_left(Session& session) const;
  void end_forbidden(Session& session);

  Speakers& speakers_;
  Subscriptions& subscriptions_;
  const Clock& clock_;
  std::set<std::pair<TimePoint, Session*>> due_;  // when each is to be warned or closed
};

}  // namespace syncrelay
