#include "syncrelay/ws/upgrade.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <chrono>

#include "syncrelay/protocol/limits.h"

namespace syncrelay {
namespace {

constexpr std::size_t kWebSocketKeyBytes = 24;  // 16 bytes in base64, RFC 6455 section 4.1
constexpr std::string_view kWebSocketVersion = "13";

// "example.org:8080" and "[::1]:8080" without the port.
std::string_view host_name(std::string_view authority) {
  if (!authority.empty() && authority.front() == '[')
    return authority.substr(0, authority.find(']') + 1);
  return authority.substr(0, authority.find(':'));
}

std::string_view origin_host(std::string_view origin) {
  const std::size_t scheme = origin.find("://");
  return scheme == std::string_view::npos ? std::string_view()
                                          : host_name(origin.substr(scheme + 3));
}

bool equal_ignoring_case(std::string_view left, std::string_view right) {
  const auto same = [](unsigned char a, unsigned char b) {
    return std::tolower(a) == std::tolower(b);
  };
  return left.size() == right.size() && std::equal(left.begin(), left.end(), right.begin(), same);
}

// Whether the comma-separated list names "upgrade".
bool lists_upgrade(std::string_view connection) {
  constexpr std::string_view kSpace = " \t";
  while (!connection.empty()) {
    const std::size_t comma = connection.find(',');
    std::string_view token = connection.substr(0, comma);
    token.remove_prefix(std::min(token.find_first_not_of(kSpace), token.size()));
    token = token.substr(0, token.find_first_of(kSpace));
    if (equal_ignoring_case(token, "upgrade")) return true;
    if (comma == std::string_view::npos) return false;
    connection.remove_prefix(comma + 1);
  }
  return false;
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

std::optional<std::string_view> value_of(const std::vector<std::string>& arguments,
                                         std::string_view name) {
  for (const std::string& argument : arguments) {
    const std::string_view text(argument);
    if (text.substr(0, name.size()) == name && text.size() > name.size() &&
        text[name.size()] == '=') {
      return text.substr(name.size() + 1);
    }
  }
  return std::nullopt;
}

}  // namespace

bool origin_allowed(std::string_view origin, std::string_view host,
                    const std::vector<std::string>& listed) {
  if (origin.empty()) return true;
  const std::string_view name = origin_host(origin);
  if (!name.empty() && equal_ignoring_case(name, host_name(host))) return true;
  const auto lists = [origin](const std::string& entry) {
    return entry == "*" || equal_ignoring_case(entry, origin);
  };
  return std::any_of(listed.begin(), listed.end(), lists);
}

std::optional<Refusal> check_upgrade(const UpgradeRequest& request,
                                     const std::vector<std::string>& allowed_origins) {
  if (request.path != kClientPath) return not_found();
  if (!request.is_get) return method_not_allowed();
  if (request.host.empty())
    return refuse(RefusalReason::bad_request, 400, "the Host header is missing");
  if (!lists_upgrade(request.connection)) {
    return refuse(RefusalReason::bad_request, 400, "the Connection header does not say Upgrade");
  }
  if (request.version != kWebSocketVersion) {
    Refusal refusal =
        refuse(RefusalReason::bad_request, 426, "only WebSocket version 13 is spoken here");
    refusal.response.extra_name = "sec-websocket-version:";
    refusal.response.extra_value = kWebSocketVersion;
    return refusal;
  }
  if (request.key.size() != kWebSocketKeyBytes) {
    return refuse(RefusalReason::bad_request, 400, "Sec-WebSocket-Key is not 16 bytes in base64");
  }
  if (!request.protocol.empty()) {
    return refuse(RefusalReason::bad_request, 400,
                  "no subprotocol is spoken here: leave Sec-WebSocket-Protocol out");
  }
  if (!origin_allowed(request.origin, request.host, allowed_origins)) {
    return refuse(RefusalReason::origin, 403, "this origin may not connect");
  }
  return std::nullopt;
}

Refusal method_not_allowed() {
  Refusal refusal = refuse(RefusalReason::method, 405, "only GET is answered here");
  refusal.response.extra_name = "allow:";
  refusal.response.extra_value = "GET";
  return refusal;
}

Refusal not_found() {
  return refuse(RefusalReason::not_found, 404, "not found; clients connect to /ws/sync");
}

Refusal not_an_upgrade() {
  Refusal refusal = refuse(RefusalReason::not_an_upgrade, 426, "this is a WebSocket endpoint");
  refusal.response.extra_name = "upgrade:";
  refusal.response.extra_value = "websocket";
  return refusal;
}

Refusal unavailable(RefusalReason reason) {
  Refusal refusal =
      refuse(reason, 503,
             reason == RefusalReason::stopping ? "the relay is stopping" : "too many clients");
  refusal.response.extra_name = "retry-after:";
  refusal.response.extra_value = "5";
  return refusal;
}

ClientRequest parse_client_request(const std::vector<std::string>& arguments,
                                   std::string_view current_epoch) {
  ClientRequest request;
  const auto epoch = value_of(arguments, "epoch");
  const auto seq = value_of(arguments, "seq");
  request.wants_resume = epoch || seq;
  if (epoch && seq && *epoch == current_epoch) {
    const auto number = parse_number(*seq);
    if (number && *number < UINT64_MAX) request.resume_after = Seq{*number};
  }
  if (const auto heartbeat = value_of(arguments, "heartbeat")) {
    const auto number = parse_number(*heartbeat);
    if (number && *number >= kMinHeartbeatSeconds && *number <= kMaxHeartbeatSeconds) {
      request.heartbeat = std::chrono::seconds(*number);
    }
  }
  return request;
}

}  // namespace syncrelay
