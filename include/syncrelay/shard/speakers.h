#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "syncrelay/metrics/stats.h"
#include "syncrelay/post/outbox.h"
#include "syncrelay/protocol/channel_name.h"
#include "syncrelay/protocol/client_message.h"
#include "syncrelay/shard/identities.h"
#include "syncrelay/shard/message_rate.h"
#include "syncrelay/shard/session.h"
#include "syncrelay/shard/subscriptions.h"

namespace syncrelay {

// What clients may say for others.
struct SpeechRules {
  bool anonymous_identity = false;  // they are who they say they are
  ChannelPatterns presence{};       // where their coming and going is told
  ChannelPatterns publish{};        // where they may publish
  MessageBounds rate{};
};

// Takes what clients say that is for others: who they are, events, messages for the backend. What
// the relay has to decide goes there, and what it answers comes back by tell(). Its shard's thread
// only.
class Speakers {
 public:
  // All must outlive it.
  Speakers(const SpeechRules& rules, Subscriptions& subscriptions, Identities& identities,
           Outbox& outbox, const Clock& clock, ShardStats& stats)
      : rules_(rules),
        subscriptions_(subscriptions),
        identities_(identities),
        outbox_(outbox),
        clock_(clock),
        stats_(stats) {}

  void hear(Session& session, HelloMessage hello);
  void hear(Session& session, PublishMessage publish);
  void hear(Session& session, BackendMessage message);

  // Answers for clients that are still there, each behind the events of its channels that came
  // before: so who publishes hears first what it has published, where it follows that channel.
  void tell(const Notes& notes);

  // Who a client is, as its token says; `info` as in Access. Precondition: it is nobody else.
  void introduce(Session& session, const std::string& id, const std::string& info);

  // Whether it may say something now. If not, it is told.
  bool may_speak(Session& session, const AnsweredMessage& message);
  void refuse(Session& session, const std::string& ref, RefusedMessage why);

  // The session is about to end, and follows nothing any more.
  void leave(Session& session);

 private:
  std::optional<RefusedMessage> refusal(const Session& session, const HelloMessage& hello) const;
  bool may_publish(const Session& session, std::string_view channel) const;
  void follow_personal(Session& session, const HelloMessage& hello);
  void send(Session& session, Said said);
  // Where there is no `ref` nobody waits for an answer.
  void note_refusal(Session& session, RefusedMessage why);
  void refuse_if_asked(Session& session, const std::string& ref, RefusedMessage why);
  static void tell(Session& session, std::string_view message);

  const SpeechRules& rules_;
  Subscriptions& subscriptions_;
  Identities& identities_;
  Outbox& outbox_;
  const Clock& clock_;
  ShardStats& stats_;
  std::unordered_map<std::uint64_t, Session*> waiting_;  // by number: who may wait for an answer
};

}  // namespace syncrelay
