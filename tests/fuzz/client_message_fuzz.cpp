// libFuzzer target: a byte for where it is cut, then what a client says. However it is cut, the
// same is heard of it, and what is heard can be answered.

#include <rapidjson/document.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "syncrelay/base/utf8.h"
#include "syncrelay/protocol/client_message.h"
#include "syncrelay/protocol/limits.h"
#include "syncrelay/protocol/server_message.h"

namespace {

using namespace syncrelay;

void require(bool holds) {
  if (!holds) std::abort();
}

// What a reader hears, as one text.
std::string heard(const std::optional<ClientMessage>& message) {
  if (!message) return "nothing";
  if (std::holds_alternative<PingMessage>(*message)) return "ping";
  if (const auto* unsubscribe = std::get_if<UnsubscribeMessage>(&*message))
    return "unsubscribe " + unsubscribe->channel;
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
  ClientMessageReader reader;
  require(!reader.take({MessageKind::text, text.substr(0, cut), true, false}));
  const auto message = reader.take({MessageKind::text, text.substr(cut), false, true});
  return heard(message);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return -1;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  if (!is_valid_utf8(text)) return 0;  // a reader of frames lets nothing else through
  ClientMessageReader reader;
  const auto message = reader.take({MessageKind::text, text, true, true});
  if (message) require(text.size() <= ClientMessageReader::kMaxBytes);
  require(heard_in_two(text, std::min<std::size_t>(data[0], text.size())) == heard(message));
  if (!message) return 0;
  if (const auto* subscribe = std::get_if<SubscribeMessage>(&*message))
    check_answer(subscribe->channel);
  if (const auto* unsubscribe = std::get_if<UnsubscribeMessage>(&*message))
    check_answer(unsubscribe->channel);
  return 0;
}
