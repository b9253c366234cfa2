#include "received.h"

#include <chrono>
#include <cstdio>
#include <string_view>

#include "syncrelay/json/json_text.h"
#include "syncrelay/protocol/channel_name.h"

namespace syncrelay {
namespace {

void append_text(std::string& out, std::string_view name, std::string_view text) {
  out.append(",\"").append(name).append("\":");
  append_json_string(out, text);
}

void append_ts(std::string& out, WallTime ts) {
  out += R"(,"ts":)";
  append_timestamp(out, ts);
}

void append_end(std::string& out, const Notice& notice) {
  char seconds[32];
  std::snprintf(seconds, sizeof seconds, "%.3f",
                std::chrono::duration<double>(notice.duration).count());
  out.append(R"(,"code":)").append(std::to_string(notice.code));
  out.append(R"(,"duration":)").append(seconds);
}

void append_notice(std::string& out, const Notice& notice) {
  const bool of_member = notice.event == WorkerEvent::joined || notice.event == WorkerEvent::left;
  out.append(R"({"event":")").append(name(notice.event)) += '"';
  if (of_member) {
    append_text(out, "channel", notice.channel);
  } else {
    out += R"(,"connection":)" + std::to_string(notice.connection);
  }
  if (notice.event == WorkerEvent::connected) append_text(out, "address", notice.address);
  if (!notice.id.empty()) append_text(out, "id", notice.id);
  if (notice.event == WorkerEvent::disconnected) append_end(out, notice);
  if (notice.info) out.append(R"(,"info":)").append(*notice.info);
  append_ts(out, notice.ts);
  out += '}';
}

void append_delivery(std::string& out, const Inbox::Delivery& delivery) {
  const InboxMessage& message = *delivery.message;
  out += R"({"n":)" + std::to_string(message.n) + R"(,"event":"message")";
  // Whom a stored one names is somebody else by now.
  if (message.connection > 0) out += R"(,"connection":)" + std::to_string(message.connection);
  if (is_personal(message.sender))
    append_text(out, "id", std::string_view(message.sender).substr(1));
  append_text(out, "channel", message.channel);
  append_ts(out, message.ts);
  out += R"(,"attempt":)" + std::to_string(delivery.attempt);
  out.append(R"(,"data":)").append(message.text) += '}';
}

void append_comma(std::string& out) {
  if (out.back() != '[') out += ',';
}

}  // namespace

std::string received_members(const Notices::Taken& notices,
                             const std::vector<Inbox::Delivery>& deliveries) {
  std::string members = R"("events":[)";
  for (const Notices::Numbered& each : notices.notices) {
    append_comma(members);
    append_notice(members, each.notice);
  }
  for (const Inbox::Delivery& delivery : deliveries) {
    append_comma(members);
    append_delivery(members, delivery);
  }
  members += ']';
  if (notices.dropped > 0) members += R"(,"notices_dropped":)" + std::to_string(notices.dropped);
  return members;
}

}  // namespace syncrelay
