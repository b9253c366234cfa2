// libFuzzer target: a byte for where it is cut, then what a client says. However it is cut, the
// same is heard of it; what is heard keeps its bounds and can be answered; and nothing is held when
// it is over.

#include <rapidjson/document.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "syncrelay/base/utf8.h"
#include "syncrelay/json/json_parts.h"
#include "syncrelay/protocol/channel_name.h"
#include "syncrelay/protocol/client_message.h"
#include "syncrelay/protocol/limits.h"
#include "syncrelay/protocol/server_message.h"

namespace {

using namespace syncrelay;

void require(bool holds) {
  if (!holds) std::abort();
}

constexpr std::string_view kHelloOfAnotherType = "device:register";

// Numbers may be larger than RapidJSON takes.
bool is_json(std::string_view text) {
  return !json_fault(text);
}

std::string heard(const AnsweredMessage& message) {
  require(message.ref.size() <= kMaxRefBytes);
  require(is_json(message.fault ? error_message(message.ref, *message.fault)
                                : ack_message(message.ref)));
  return ' ' + message.ref +
         (message.fault ? " but " + std::string(info(*message.fault).name) : "");
}

std::string heard(const HelloMessage& hello) {
  require(hello.fault || is_identity(hello.id));
  require(hello.info.size() <= kMaxInfoBytes);
  require(hello.fault || hello.info.empty() || (hello.info[0] == '{' && is_json(hello.info)));
  return "hello " + hello.id + ' ' + hello.info + heard(static_cast<const AnsweredMessage&>(hello));
}

std::string heard(const PublishMessage& publish) {
  require(publish.fault || (is_json(publish.event) && publish.event[0] == '"'));
  require(publish.fault || is_json(publish.data));
  require(publish.fault || publish.channel.empty() || is_channel_name(publish.channel));
  return "publish " + publish.channel + ' ' + publish.event + ' ' + publish.data +
         heard(static_cast<const AnsweredMessage&>(publish));
}

std::string heard(const BackendMessage& message) {
  require(message.fault || is_json(message.text));
  require(message.channel.empty() || is_channel_name(message.channel));
  return "message " + message.channel + ' ' + message.text +
         heard(static_cast<const AnsweredMessage&>(message));
}

// What a reader hears, as one text.
std::string heard(const std::optional<ClientMessage>& message) {
  if (!message) return "nothing";
  if (std::holds_alternative<PingMessage>(*message)) return "ping";
  if (const auto* unsubscribe = std::get_if<UnsubscribeMessage>(&*message))
    return "unsubscribe " + unsubscribe->channel;
  if (const auto* hello = std::get_if<HelloMessage>(&*message)) return heard(*hello);
  if (const auto* publish = std::get_if<PublishMessage>(&*message)) return heard(*publish);
  if (const auto* said = std::get_if<BackendMessage>(&*message)) return heard(*said);
  require(!std::holds_alternative<UnreadableMessage>(*message));
  const auto& subscribe = std::get<SubscribeMessage>(*message);
  std::string text = "subscribe " + subscribe.channel;
  if (subscribe.wants_resume) text += " from";
  if (subscribe.after) {
    text += ' ' + subscribe.after->epoch + ' ' + std::to_string(subscribe.after->seq.value);
    require(subscribe.wants_resume && subscribe.after->epoch.size() <= kMaxEpochBytes);
  }
  return text;
}

void check_answer(const std::string& channel) {
  const std::string answer = refused_message(channel, RefusedSubscription::invalid_channel);
  require(is_valid_utf8(answer));
  rapidjson::Document document;
  document.Parse(answer.data(), answer.size());
  require(!document.HasParseError());
}

std::string heard_in_two(std::string_view text, std::size_t cut) {
  Hearing hearing{std::string(kHelloOfAnotherType)};
  ClientMessageReader reader;
  require(!reader.take({MessageKind::text, text.substr(0, cut), true, false}, hearing));
  const auto message = reader.take({MessageKind::text, text.substr(cut), false, true}, hearing);
  require(hearing.held == 0);
  return heard(message);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return -1;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  if (!is_valid_utf8(text)) return 0;  // a reader of frames lets nothing else through
  Hearing hearing{std::string(kHelloOfAnotherType)};
  ClientMessageReader reader;
  const auto message = reader.take({MessageKind::text, text, true, true}, hearing);
  require(heard_in_two(text, std::min<std::size_t>(data[0], text.size())) == heard(message));
  if (!message) return 0;
  if (const auto* subscribe = std::get_if<SubscribeMessage>(&*message))
    check_answer(subscribe->channel);
  if (const auto* unsubscribe = std::get_if<UnsubscribeMessage>(&*message))
    check_answer(unsubscribe->channel);
  return 0;
}
