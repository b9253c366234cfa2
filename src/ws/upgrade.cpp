#include "syncrelay/ws/upgrade.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <chrono>

#include "syncrelay/protocol/limits.h"
#include "syncrelay/ws/token_place.h"

namespace syncrelay {
namespace {

constexpr std::string_view kWebSocketVersion = "13";

// 16 bytes in base64: 22 characters and the padding (RFC 6455 section 4.1).
bool is_key(std::string_view key) {
  constexpr std::size_t kCharacters = 22;
  const auto in_base64 = [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '+' || c == '/';
  };
  return key.size() == kCharacters + 2 && key.ends_with("==") &&
         std::all_of(key.begin(), key.begin() + kCharacters, in_base64);
}

Refusal refuse(RefusalReason reason, int status, std::string body) {
  return {reason, {status, "text/plain; charset=utf-8", std::move(body) + '\n', {}, {}}};
}

std::optional<std::uint64_t> parse_number(std::string_view text) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

// The first that is not empty.
std::optional<std::string_view> value_of(const std::vector<std::string>& arguments,
                                         std::string_view name) {
  for (const std::string& argument : arguments) {
    const std::string_view text(argument);
    if (text.substr(0, name.size()) == name && text.size() > name.size() + 1 &&
        text[name.size()] == '=') {
      return text.substr(name.size() + 1);
    }
  }
  return std::nullopt;
}

void set_position(SubscribeMessage& wish, std::optional<std::string_view> epoch,
                  std::optional<std::string_view> seq) {
  wish.wants_resume = epoch || seq;
  if (!epoch || !seq) return;
  const auto number = parse_number(*seq);
  if (number && *number < UINT64_MAX) wish.after = AskedPosition{std::string(*epoch), Seq{*number}};
}

bool is_session(std::string_view text) {
  return text.size() <= kMaxSessionBytes &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c <= '~'; });
}

// NAME or NAME,EPOCH,SEQ: no name has a comma.
SubscribeMessage channel_of(std::string_view text) {
  SubscribeMessage wish;
  const std::size_t name = text.find(',');
  wish.channel = text.substr(0, name);
  if (name == text.npos) return wish;
  const std::string_view position = text.substr(name + 1);
  const std::size_t epoch = position.find(',');
  set_position(wish, position.substr(0, epoch),
               epoch == position.npos ? std::nullopt : std::optional(position.substr(epoch + 1)));
  return wish;
}

std::vector<SubscribeMessage> channels_of(const std::vector<std::string>& arguments) {
  constexpr std::string_view kName = "channel=";
  std::vector<SubscribeMessage> wishes;
  for (const std::string_view argument : arguments) {
    if (argument.substr(0, kName.size()) == kName)
      wishes.push_back(channel_of(argument.substr(kName.size())));
  }
  return wishes;
}

}  // namespace

bool wants_websocket(const HttpRequest& request) {
  return request.lists("upgrade", "websocket");
}

bool offers_subprotocol(const HttpRequest& request) {
  const auto offered = request.elements("sec-websocket-protocol");
  return std::find(offered.begin(), offered.end(), kSubprotocol) != offered.end();
}

std::optional<Refusal> check_upgrade(const HttpRequest& request) {
  if (request.method() == "HEAD") return not_an_upgrade();
  if (request.method() != "GET") return method_not_allowed();
  if (request.count("transfer-encoding") != 0 ||
      (request.count("content-length") != 0 && request.field("content-length") != "0")) {
    return refuse(RefusalReason::bad_request, 400, "an upgrade has no body");
  }
  if (request.http_1_0())
    return refuse(RefusalReason::bad_request, 400, "an upgrade needs HTTP/1.1");
  if (!request.lists("connection", "upgrade")) {
    return refuse(RefusalReason::bad_request, 400, "the Connection header does not say Upgrade");
  }
  if (request.count("sec-websocket-version") != 1 ||
      request.field("sec-websocket-version") != kWebSocketVersion) {
    Refusal refusal =
        refuse(RefusalReason::bad_request, 426, "only WebSocket version 13 is spoken here");
    refusal.response.extra_name = "sec-websocket-version";
    refusal.response.extra_value = kWebSocketVersion;
    return refusal;
  }
  if (request.count("sec-websocket-key") != 1 || !is_key(request.field("sec-websocket-key"))) {
    return refuse(RefusalReason::bad_request, 400, "Sec-WebSocket-Key is not 16 bytes in base64");
  }
  if (request.count("sec-websocket-protocol") != 0 && !offers_subprotocol(request)) {
    return refuse(RefusalReason::bad_request, 400,
                  "the only subprotocol that is spoken here is syncrelay: offer that, or leave "
                  "Sec-WebSocket-Protocol out");
  }
  if (request.count("origin") > 1)
    return refuse(RefusalReason::bad_request, 400, "the Origin header is there more than once");
  return std::nullopt;
}

Refusal bad_request(const HttpFault& fault) {
  return refuse(RefusalReason::bad_request, fault.status, std::string(fault.detail));
}

Refusal misdirected() {
  return refuse(RefusalReason::host, 421,
                "this relay does not go by that name (--allow-host lists the names it goes by)");
}

Refusal method_not_allowed() {
  Refusal refusal = refuse(RefusalReason::method, 405, "only GET is answered here");
  refusal.response.extra_name = "allow";
  refusal.response.extra_value = "GET, HEAD";
  return refusal;
}

Refusal not_found() {
  return refuse(RefusalReason::not_found, 404, "not found; clients connect to /ws/sync");
}

Refusal not_an_upgrade() {
  return refuse(RefusalReason::not_an_upgrade, 426, "this is a WebSocket endpoint");
}

Refusal unavailable(RefusalReason reason) {
  const bool catching_up = reason == RefusalReason::catching_up;
  Refusal refusal = refuse(reason, 503,
                           catching_up ? "the relay is catching up with its cluster"
                           : reason == RefusalReason::stopping ? "the relay is stopping"
                                                               : "too many clients");
  refusal.response.extra_name = "retry-after";
  refusal.response.extra_value = catching_up ? "1" : "5";
  return refusal;
}

// The least rate is one a second, so that the next may come after that.
Refusal too_many_upgrades() {
  Refusal refusal = refuse(RefusalReason::connect_rate, 429,
                           "too many connections were opened from this address (--connect-rate)");
  refusal.response.extra_name = "retry-after";
  refusal.response.extra_value = "1";
  return refusal;
}

ClientRequest parse_client_request(const std::vector<std::string>& arguments) {
  ClientRequest request;
  if (auto wishes = channels_of(arguments); !wishes.empty())
    request.subscriptions = std::move(wishes);
  for (SubscribeMessage& wish : request.subscriptions) {
    if (!wish.channel.empty() || wish.wants_resume) continue;
    set_position(wish, value_of(arguments, "epoch"), value_of(arguments, "seq"));
  }
  if (const auto session = value_of(arguments, "session"); session && is_session(*session))
    request.session = *session;
  if (const auto heartbeat = value_of(arguments, "heartbeat")) {
    const auto number = parse_number(*heartbeat);
    if (number && *number >= kMinHeartbeatSeconds && *number <= kMaxHeartbeatSeconds) {
      request.heartbeat = std::chrono::seconds(*number);
    }
  }
  return request;
}

}  // namespace syncrelay
