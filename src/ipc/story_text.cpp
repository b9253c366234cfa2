#include "syncrelay/ipc/story_text.h"

#include <array>
#include <string_view>

#include "syncrelay/json/json_text.h"
#include "syncrelay/protocol/close_cause.h"
#include "syncrelay/protocol/refused_message.h"
#include "syncrelay/protocol/refused_subscription.h"

namespace syncrelay {
namespace {

using Record = StoryRecord;

std::string channel_of(const Record& record) {
  return record.text.empty() ? "the default channel" : std::string(record.text);
}

std::string number(std::uint64_t value) {
  return std::to_string(value);
}

// "1 event", "2 events".
std::string count(std::uint64_t value, std::string_view noun) {
  return number(value) + ' ' + std::string(noun) + (value == 1 ? "" : "s");
}

std::string times(std::uint64_t value) {
  return value > 1 ? ", " + number(value) + " times" : "";
}

std::string connected(const Record& record) {
  const std::size_t blank = record.text.find(' ');
  std::string out = "Connected from " + std::string(record.text.substr(0, blank));
  if (blank != std::string_view::npos)
    out += " through the proxy " + std::string(record.text.substr(blank + 1));
  out += (record.a & kOverTls) != 0 ? " over TLS" : " without TLS";
  out += (record.a & kDeflated) != 0 ? ", with compression" : ", without compression";
  return out + ", on shard " + number(record.b) + '.';
}

std::string identified(const Record& record) {
  const std::string id(record.text);
  return record.a == 1 ? "Is " + id + ", as its token says."
                       : "Says of itself that it is " + id + '.';
}

std::string admitted(const Record& record) {
  return "Let in by a token that is good for another " + count(record.a, "second") + '.';
}

std::string renewed(const Record& record) {
  return "Brought a newer token, which is good for another " + count(record.a, "second") + '.';
}

std::string expiring(const Record& record) {
  return "Was told that its token ends in " + count(record.a, "second") + '.';
}

std::string followed(const Record& record) {
  return "Follows " + channel_of(record) + ", beginning with a snapshot at position " +
         number(record.a) + '.';
}

std::string resumed(const Record& record) {
  return "Goes on in " + channel_of(record) + " behind position " + number(record.a) +
         ", where it had stopped; " +
         (record.b == 0 ? "it has missed nothing."
                        : "it gets the " + count(record.b, "event") + " since then.");
}

std::string_view why(NoResume why) {
  switch (why) {
    case NoResume::no_position:
      return "what it said is no position";
    case NoResume::other_epoch:
      return "that was under another epoch: the relay or the channel has begun anew since";
    case NoResume::left_window:
      return "the log does not reach back so far any more (--log-bytes, --log-events)";
    case NoResume::not_reached:
      return "that lies behind all that the relay has told";
  }
  return "";
}

std::string not_resumed(const Record& record) {
  const auto reason = static_cast<NoResume>(record.b);
  const std::string asked = reason == NoResume::no_position ? "where it had stopped"
                                                            : "behind position " + number(record.a);
  return "Could not go on in " + channel_of(record) + ' ' + asked + ": " +
         std::string(why(reason)) + '.';
}

std::string skipped(const Record& record) {
  return "Was too slow for " + channel_of(record) + ": skipped " + count(record.a, "event") +
         " and got a snapshot at position " + number(record.b) + " in their place.";
}

std::string renumbered(const Record& record) {
  return "Got a snapshot of " + channel_of(record) +
         ", whose numbers had begun anew, at position " + number(record.a) + '.';
}

std::string subscription_refused(const Record& record) {
  const RefusedSubscriptionInfo& refusal = info(static_cast<RefusedSubscription>(record.a));
  return "May not follow " + channel_of(record) + times(record.b) + ": " +
         std::string(refusal.name) + " (" + std::string(refusal.message) + ").";
}

std::string unfollowed(const Record& record) {
  return "Stopped following " + channel_of(record) + '.';
}

std::string revoked(const Record& record) {
  return "Follows " + channel_of(record) + " no more: its newer token does not allow it.";
}

std::string dropped(const Record& record) {
  const std::string missed =
      record.a == 0 ? "" : "; it did not get the last " + count(record.a, "event");
  return "Follows " + channel_of(record) + " no more: the channel was dropped" + missed + '.';
}

std::string message_refused(const Record& record) {
  const RefusedMessageInfo& refusal = info(static_cast<RefusedMessage>(record.a));
  return "Said something that was not taken" + times(record.b) + ": " + std::string(refusal.name) +
         " (" + std::string(refusal.message) + ").";
}

std::string slow(const Record& record) {
  return "Has taken nothing of what it is sent for a second, " + count(record.a, "event") +
         " behind: its connection or its page is slow.";
}

std::string caught_up(const Record&) {
  return "Takes what it is sent again.";
}

std::string goodbye(const Record& record) {
  return "Took leave with code " + number(record.a) +
         " and the words: " + std::string(record.text) + '.';
}

// Who ended it, and why.
std::string_view end_by(CloseCause cause) {
  switch (cause) {
    case CloseCause::client_closed:
      return "Closed by the client";
    case CloseCause::connection_lost:
      return "Gone without taking leave: the connection broke";
    case CloseCause::ping_timeout:
      return "Given up by the relay: no sign of life after a ping (--ping-timeout)";
    case CloseCause::stalled:
      return "Given up by the relay: it took no byte for too long (--stall-timeout)";
    case CloseCause::message_too_large:
      return "Closed by the relay: it said more at once than --max-client-message allows";
    case CloseCause::protocol_error:
      return "Closed by the relay: it broke the WebSocket protocol";
    case CloseCause::invalid_utf8:
      return "Closed by the relay: it sent text that is not UTF-8";
    case CloseCause::over_capacity:
      return "Closed by the relay: slow clients held back too much memory, and this one the "
             "oldest";
    case CloseCause::relay_stopping:
      return "Closed by the relay, which stops";
    case CloseCause::rate_limited:
      return "Closed by the relay: it said too much for too long (--client-rate)";
    case CloseCause::token_expired:
      return "Closed by the relay: its token had ended, and it brought no newer one";
    case CloseCause::dismissed:
      return "Closed by a backend";
    case CloseCause::invalid_deflate:
      return "Closed by the relay: it sent a compressed message that cannot be read";
    case CloseCause::cluster_began_anew:
      return "Closed by the relay: the cluster's log began anew";
  }
  return "Gone";
}

std::string ended(const Record& record) {
  constexpr std::uint64_t kCodes = 256;
  const auto cause = static_cast<CloseCause>(record.a % kCodes);
  std::string out(end_by(cause));
  out += " (" + number(record.a / kCodes) + ' ' + std::string(info(cause).name) + ')';
  if (!record.text.empty()) out += ", saying: " + std::string(record.text);
  if (record.b > 0) out += "; it was " + count(record.b, "event") + " behind";
  return out + '.';
}

struct Teller {
  StoryKind kind;
  std::string (*tell)(const Record& record);
};

constexpr std::array<Teller, kStoryKindNames.size()> kTellers = {{
    {StoryKind::connected, connected},
    {StoryKind::identified, identified},
    {StoryKind::admitted, admitted},
    {StoryKind::renewed, renewed},
    {StoryKind::expiring, expiring},
    {StoryKind::followed, followed},
    {StoryKind::resumed, resumed},
    {StoryKind::not_resumed, not_resumed},
    {StoryKind::skipped, skipped},
    {StoryKind::renumbered, renumbered},
    {StoryKind::subscription_refused, subscription_refused},
    {StoryKind::unfollowed, unfollowed},
    {StoryKind::revoked, revoked},
    {StoryKind::dropped, dropped},
    {StoryKind::message_refused, message_refused},
    {StoryKind::slow, slow},
    {StoryKind::caught_up, caught_up},
    {StoryKind::goodbye, goodbye},
    {StoryKind::ended, ended},
}};

constexpr bool in_order() {
  for (std::size_t index = 0; index < kTellers.size(); ++index) {
    if (static_cast<std::size_t>(kTellers[index].kind) != index) return false;
  }
  return true;
}
static_assert(in_order(), "each kind has its sentence");

}  // namespace

std::string sentence(const StoryRecord& record) {
  return kTellers[static_cast<std::size_t>(record.kind)].tell(record);
}

std::string story_lines(const Story& story) {
  std::string out = "[";
  for (const StoryRecord& record : story.records()) {
    if (out.size() > 1) out += ',';
    out += R"({"ts":)";
    append_timestamp(out, {story.begin().microseconds + record.at.count() * 1000});
    out.append(R"(,"what":")").append(name(record.kind)).append(R"(","text":)");
    append_json_string(out, sentence(record));
    out += '}';
  }
  return out + ']';
}

}  // namespace syncrelay
