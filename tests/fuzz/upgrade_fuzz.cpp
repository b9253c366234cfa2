// libFuzzer target: lines of a request for an upgrade: path, host, origin, connection, key,
// version, protocol, then the arguments of the URL, one a line. It is let in or refused with an
// answer, and what the arguments ask for is within its limits.

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "syncrelay/protocol/limits.h"
#include "syncrelay/ws/upgrade.h"

namespace {

using namespace syncrelay;

void require(bool holds) {
  if (!holds) std::abort();
}

std::vector<std::string> lines_of(std::string_view text) {
  std::vector<std::string> lines;
  for (;;) {
    const std::size_t end = text.find('\n');
    lines.emplace_back(text.substr(0, end));
    if (end == std::string_view::npos) return lines;
    text.remove_prefix(end + 1);
  }
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

// A page that nobody listed stands on the host itself: its name follows the origin's scheme.
void check_origin(const UpgradeRequest& request) {
  require(origin_allowed(request.origin, request.host, {"*"}));
  require(origin_allowed(request.origin, request.host, {request.origin}));
  if (request.origin.empty() || !origin_allowed(request.origin, request.host, {})) return;
  const std::string origin = lower(request.origin);
  const std::string host = lower(request.host);
  const std::string name =
      host.substr(0, host.front() == '[' ? host.find(']') + 1 : host.find(':'));
  const std::size_t behind = origin.find("://") + 3 + name.size();
  require(!name.empty() && origin.substr(origin.find("://") + 3, name.size()) == name);
  require(behind == origin.size() || origin[behind] == ':' || name.back() == ']');
}

void check_refusal(const Refusal& refusal) {
  require(refusal.response.status >= 400 && refusal.response.status < 600);
  require(!refusal.response.body.empty());
}

void check_arguments(const std::vector<std::string>& arguments) {
  using std::chrono::seconds;
  const ClientRequest request = parse_client_request(arguments, "00c0ffee00c0ffee");
  if (request.resume_after)
    require(request.wants_resume && request.resume_after->value < UINT64_MAX);
  if (request.heartbeat) {
    require(*request.heartbeat >= seconds(kMinHeartbeatSeconds) &&
            *request.heartbeat <= seconds(kMaxHeartbeatSeconds));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::vector<std::string> lines = lines_of({reinterpret_cast<const char*>(data), size});
  constexpr std::size_t kHeaders = 7;
  if (lines.size() < kHeaders) return -1;
  UpgradeRequest request;
  request.is_get = true;
  request.path = lines[0];
  request.host = lines[1];
  request.origin = lines[2];
  request.connection = lines[3];
  request.key = lines[4];
  request.version = lines[5];
  request.protocol = lines[6];
  check_origin(request);
  if (const auto refusal = check_upgrade(request, {})) check_refusal(*refusal);
  check_arguments({lines.begin() + kHeaders, lines.end()});
  return 0;
}
