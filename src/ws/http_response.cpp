#include "syncrelay/ws/http_response.h"

#include <libwebsockets.h>

#include <array>
#include <cstdio>
#include <ctime>
#include <utility>

namespace syncrelay {
namespace {

constexpr std::pair<int, std::string_view> kReasons[] = {
    {200, "OK"},
    {304, "Not Modified"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {408, "Request Timeout"},
    {409, "Conflict"},
    {413, "Content Too Large"},
    {415, "Unsupported Media Type"},
    {421, "Misdirected Request"},
    {426, "Upgrade Required"},
    {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"},
    {501, "Not Implemented"},
    {503, "Service Unavailable"},
    {505, "HTTP Version Not Supported"},
};

std::string_view reason_of(int status) {
  for (const auto& [known, reason] : kReasons) {
    if (known == status) return reason;
  }
  return "";
}

// RFC 9110 section 5.6.7; the names are English in every locale.
std::string date_of(WallTime now) {
  constexpr const char* kDays[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  constexpr const char* kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const auto seconds = static_cast<std::time_t>(now.microseconds / 1'000'000);
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%s, %02d %s %04d %02d:%02d:%02d GMT", kDays[utc.tm_wday],
                utc.tm_mday, kMonths[utc.tm_mon], utc.tm_year + 1900, utc.tm_hour, utc.tm_min,
                utc.tm_sec);
  return text.data();
}

}  // namespace

std::string serialize(const HttpResponse& response, WallTime now, bool with_body) {
  constexpr int kNotModified = 304;
  constexpr int kUpgradeRequired = 426;
  const bool names_upgrade = response.status == kUpgradeRequired;
  std::string text = "HTTP/1.1 " + std::to_string(response.status) + ' ';
  text.append(reason_of(response.status));
  text.append("\r\ndate: ").append(date_of(now));
  if (response.status != kNotModified) {
    text.append("\r\ncontent-type: ").append(response.content_type);
    text.append("\r\ncontent-length: ").append(std::to_string(response.body.size()));
  }
  if (!response.extra_name.empty())
    text.append("\r\n").append(response.extra_name).append(": ").append(response.extra_value);
  text.append(response.fields);
  text.append(names_upgrade    ? "\r\nupgrade: websocket\r\nconnection: upgrade, close\r\n\r\n"
              : response.keeps ? "\r\n\r\n"
                               : "\r\nconnection: close\r\n\r\n");
  if (with_body) text.append(response.body);
  return text;
}

std::string switching_protocols(std::string_view key, std::string_view subprotocol,
                                std::string_view extensions) {
  constexpr std::size_t kHashBytes = 20;  // SHA-1
  const std::string accepted = std::string(key) + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
  std::array<unsigned char, kHashBytes> hash{};
  std::array<char, 32> encoded{};
  lws_SHA1(reinterpret_cast<const unsigned char*>(accepted.data()), accepted.size(), hash.data());
  lws_b64_encode_string(reinterpret_cast<const char*>(hash.data()), kHashBytes, encoded.data(),
                        encoded.size());
  std::string text(
      "HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n"
      "sec-websocket-accept: ");
  text.append(encoded.data());
  if (!subprotocol.empty()) text.append("\r\nsec-websocket-protocol: ").append(subprotocol);
  if (!extensions.empty()) text.append("\r\nsec-websocket-extensions: ").append(extensions);
  return text.append("\r\n\r\n");
}

}  // namespace syncrelay
