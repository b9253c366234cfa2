#pragma once
// Until protocol/server_message has them.
#include <string>
#include <string_view>

#include "syncrelay/protocol/server_message.h"

namespace syncrelay {

inline std::string channel_member(std::string_view channel) {
  return channel.empty() ? std::string() : ",\"channel\":\"" + std::string(channel) + '"';
}
inline std::string snapshot_head(std::string_view channel) {
  return R"({"type":"sync:full")" + channel_member(channel) + R"(,"data":{)";
}
inline std::string resume_message(std::string_view channel, const PositionText& position,
                                  Seq last) {
  std::string text = resume_message(position, last);
  return text.insert(21, channel_member(channel));
}
inline std::string unsubscribed_message(std::string_view channel, bool dropped,
                                        std::uint64_t skipped) {
  std::string text = R"({"type":"sync:unsubscribed","channel":")" + std::string(channel) + '"';
  if (dropped) text += R"(,"reason":"dropped")";
  if (skipped > 0) text += R"(,"skipped":)" + std::to_string(skipped);
  return text + '}';
}
inline std::string refused_message(std::string_view asked, RefusedSubscription why) {
  return R"({"type":"sync:refused","channel":")" + std::string(asked) + R"(","code":")" +
         std::string(kRefusedSubscriptionNames[static_cast<std::size_t>(why)]) +
         R"(","message":""})";
}

}  // namespace syncrelay
