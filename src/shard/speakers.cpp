#include "syncrelay/shard/speakers.h"

#include <utility>

#include "syncrelay/protocol/server_message.h"

namespace syncrelay {
namespace {

// Who says the same when he says it again under the same `ref`; see Said::sender.
std::string sender_of(const Session& session) {
  const Speaker& speaker = *session.known_speaker();
  if (speaker.identity != nullptr) return '@' + speaker.identity->id;
  if (!speaker.session.empty()) return '?' + speaker.session;
  return '#' + std::to_string(session.id().value);
}

// As a backend would say it.
std::string broadcast_of(const PublishMessage& publish, const Identity* sender) {
  std::string text = R"({"op":"broadcast","type":)" + publish.event;
  if (!publish.channel.empty()) text.append(R"(,"channel":")").append(publish.channel) += '"';
  text.append(R"(,"data":)").append(publish.data);
  if (sender != nullptr) text.append(R"(,"from":")").append(sender->id) += '"';
  return text += '}';
}

}  // namespace

void Speakers::hear(Session& session, HelloMessage hello) {
  counter(stats_.client_messages, ClientMessageKind::hello).add();
  if (!may_speak(session, hello)) return;
  if (const auto why = refusal(session, hello)) return refuse(session, hello.ref, *why);
  introduce(session, hello.id, hello.info);
  if (!hello.ref.empty()) tell(session, ack_message(hello.ref));
  follow_personal(session, hello);
}

std::optional<RefusedMessage> Speakers::refusal(const Session& session,
                                                const HelloMessage& hello) const {
  const Speaker& speaker = *session.known_speaker();
  const bool by_token = speaker.access && !speaker.access->id.empty();
  if (by_token || !rules_.anonymous_identity) return RefusedMessage::identity_not_allowed;
  if (hello.fault) return hello.fault;
  const Identity* const known = session.known_speaker()->identity;
  if (known != nullptr && known->id != hello.id) return RefusedMessage::id_is_fixed;
  return std::nullopt;
}

// With what it says of itself, so that nobody hears of it without.
void Speakers::introduce(Session& session, const std::string& id, const std::string& info) {
  Identity*& identity = session.speaker().identity;
  const bool known = identity != nullptr;
  if (!known) identity = &identities_.join(id);
  if (!info.empty()) identities_.set_info(*identity, info);
  if (known) return;
  const auto& access = session.known_speaker()->access;
  session.record(StoryKind::identified, access && !access->id.empty() ? 1 : 0, 0, id);
  for (const auto& follower : session.followers())
    identities_.follow(*identity, text(follower->channel().name));
}

void Speakers::follow_personal(Session& session, const HelloMessage& hello) {
  if (session.closing()) return;
  subscriptions_.follow_personal(session, {'@' + hello.id, hello.wants_resume, hello.after});
}

void Speakers::hear(Session& session, PublishMessage publish) {
  counter(stats_.client_messages, ClientMessageKind::publish).add();
  if (!may_speak(session, publish)) return;
  if (publish.fault) return refuse_if_asked(session, publish.ref, *publish.fault);
  if (!may_publish(session, publish.channel))
    return refuse_if_asked(session, publish.ref, RefusedMessage::forbidden);
  send(session, {Said::Kind::publish, session.id().value, sender_of(session), publish.channel,
                 publish.ref, broadcast_of(publish, session.known_speaker()->identity)});
}

bool Speakers::may_publish(const Session& session, std::string_view channel) const {
  const auto& access = session.known_speaker()->access;
  const bool by_token = access && access->publishes;
  return (by_token ? *access->publishes : rules_.publish).match(channel);
}

void Speakers::hear(Session& session, BackendMessage message) {
  counter(stats_.client_messages, ClientMessageKind::message).add();
  if (!may_speak(session, message)) return;
  if (message.fault) return refuse_if_asked(session, message.ref, *message.fault);
  send(session, {Said::Kind::message, session.id().value, sender_of(session),
                 std::move(message.channel), std::move(message.ref), std::move(message.text)});
}

bool Speakers::may_speak(Session& session, const AnsweredMessage& message) {
  const auto verdict = session.speaker().rate.judge(rules_.rate, clock_.now());
  if (verdict == MessageRate::Verdict::allowed) return true;
  if (verdict == MessageRate::Verdict::hopeless) session.close(CloseCause::rate_limited);
  refuse_if_asked(session, message.ref, RefusedMessage::rate_limited);
  return false;
}

void Speakers::send(Session& session, Said said) {
  const std::string ref = said.ref;
  if (!outbox_.put(std::move(said)))
    return refuse_if_asked(session, ref, RefusedMessage::inbox_full);
  if (!ref.empty()) waiting_.emplace(session.id().value, &session);
}

// Who says a `ref` that is none wants an answer.
void Speakers::refuse_if_asked(Session& session, const std::string& ref, RefusedMessage why) {
  if (!ref.empty() || why == RefusedMessage::invalid_ref) return refuse(session, ref, why);
  note_refusal(session, why);
}

void Speakers::refuse(Session& session, const std::string& ref, RefusedMessage why) {
  note_refusal(session, why);
  tell(session, error_message(ref, why));
}

void Speakers::note_refusal(Session& session, RefusedMessage why) {
  counter(stats_.client_messages_refused, why).add();
  session.count(StoryKind::message_refused, static_cast<std::uint64_t>(why));
}

void Speakers::tell(const Notes& notes) {
  for (const Notes::Note& note : notes.notes) {
    const auto found = waiting_.find(note.connection);
    if (found == waiting_.end() || found->second->closing()) continue;
    Session& session = *found->second;
    session.tell_behind_events(note.message);
    session.bound_untold();
    session.pump();
  }
}

void Speakers::tell(Session& session, std::string_view message) {
  if (session.closing()) return;
  session.tell(message);
  session.bound_untold();
}

void Speakers::leave(Session& session) {
  waiting_.erase(session.id().value);
  if (Identity* const identity = session.identity()) identities_.leave(*identity);
}

}  // namespace syncrelay
