#include "syncrelay/shard/grants.h"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <utility>
#include <vector>

#include "syncrelay/protocol/server_message.h"

namespace syncrelay {

Duration Grants::warning_time(ConnectionId id) {
  constexpr std::uint32_t kGoldenPart = 2'654'435'769U;  // of 2^32
  const std::uint64_t place = static_cast<std::uint32_t>(id.value) * kGoldenPart;
  return kLatestWarning + Duration(((kEarliestWarning - kLatestWarning).count() / 1024) *
                                   static_cast<std::int64_t>(place >> 22));
}

void Grants::begin(Session& session, std::shared_ptr<const Access> access) {
  if (!access) return;
  take(session, std::move(access));
  session.record(StoryKind::admitted, seconds_left(session));
}

// The wall clock may be set while the client is here; that moves no end.
void Grants::take(Session& session, std::shared_ptr<const Access> access) {
  leave(session);
  const std::int64_t left = access->until.microseconds - clock_.wall().microseconds;
  constexpr std::int64_t kLongest = 10LL * 365 * 24 * 3600 * 1'000'000;
  Speaker& speaker = session.speaker();
  speaker.access = std::move(access);
  speaker.access_ends =
      clock_.now() + std::chrono::microseconds(std::clamp<std::int64_t>(left, 0, kLongest));
  speaker.warned = false;
  schedule(session, speaker.access_ends - warning_time(session.id()));
  if (!speaker.access->id.empty())
    speakers_.introduce(session, speaker.access->id, speaker.access->info);
}

bool Grants::is_own(const Session& session, std::string_view name) {
  const Speaker* const speaker = session.known_speaker();
  return is_personal(name) && speaker != nullptr && speaker->access &&
         name.substr(1) == speaker->access->id;
}

void Grants::follow_personal(Session& session, const std::vector<SubscribeMessage>& wishes) {
  const Speaker* const speaker = session.known_speaker();
  if (speaker == nullptr || !speaker->access || speaker->access->id.empty()) return;
  SubscribeMessage own{'@' + speaker->access->id};
  const auto wish = std::find_if(wishes.begin(), wishes.end(), [&](const SubscribeMessage& asked) {
    return asked.channel == own.channel;
  });
  if (wish != wishes.end()) own = *wish;
  subscriptions_.follow_personal(session, own);
}

bool Grants::may_renew(Session& session, const TokenMessage& message) {
  if (!speakers_.may_speak(session, message)) return false;
  if (message.fault) refuse(session, message, *message.fault);
  return !message.fault;
}

void Grants::renew(Session& session, const TokenMessage& message,
                   std::shared_ptr<const Access> access) {
  const Speaker& speaker = session.speaker();
  if (speaker.identity != nullptr && speaker.identity->id != access->id)
    return refuse(session, message, RefusedMessage::id_is_fixed);
  take(session, std::move(access));
  session.record(StoryKind::renewed, seconds_left(session));
  end_forbidden(session);
  renew_nothing(session, message);
  follow_personal(session, {});
}

void Grants::renew_nothing(Session& session, const TokenMessage& message) {
  if (!message.ref.empty()) session.tell(ack_message(message.ref));
  session.bound_untold();
}

void Grants::refuse(Session& session, const TokenMessage& message, RefusedMessage why) {
  speakers_.refuse(session, message.ref, why);
}

void Grants::end_forbidden(Session& session) {
  std::vector<std::string> forbidden;
  for (const auto& follower : session.followers()) {
    const std::string_view name = text(follower->channel().name);
    if (!is_personal(name) && !subscriptions_.allows(session, name)) forbidden.emplace_back(name);
  }
  for (const std::string& name : forbidden) subscriptions_.end_forbidden(session, name);
}

void Grants::schedule(Session& session, TimePoint at) {
  session.speaker().access_due = at;
  due_.emplace(at, &session);
}

void Grants::tick() {
  const TimePoint now = clock_.now();
  while (!due_.empty() && due_.begin()->first <= now) {
    Session& session = *due_.begin()->second;
    if (session.known_speaker()->warned) {
      leave(session);
      session.close(CloseCause::token_expired);
    } else {
      warn(session);
    }
  }
}

void Grants::warn(Session& session) {
  leave(session);
  Speaker& speaker = session.speaker();
  speaker.warned = true;
  schedule(session, speaker.access_ends);
  if (session.closing()) return;
  const std::uint64_t left = seconds_left(session);
  session.record(StoryKind::expiring, left);
  session.tell(expiring_message(std::chrono::seconds(left)));
  session.bound_untold();
  session.pump();
}

// Until its token ends, rounded up.
std::uint64_t Grants::seconds_left(Session& session) const {
  const Duration left = std::max(session.speaker().access_ends - clock_.now(), Duration::zero());
  return static_cast<std::uint64_t>(std::chrono::ceil<std::chrono::seconds>(left).count());
}

void Grants::leave(Session& session) {
  const Speaker* const speaker = session.known_speaker();
  if (speaker != nullptr && speaker->access) due_.erase({speaker->access_due, &session});
}

}  // namespace syncrelay
