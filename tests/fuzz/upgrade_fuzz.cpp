// libFuzzer target: bytes that arrive before an upgrade. They have a head or have not, however they
// are cut; it is a request or is refused; that is let in or refused with an answer, and what its
// arguments ask for is within its limits.

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "syncrelay/protocol/control_frame.h"
#include "syncrelay/protocol/limits.h"
#include "syncrelay/ws/host_rule.h"
#include "syncrelay/ws/http_request.h"
#include "syncrelay/ws/origin_rule.h"
#include "syncrelay/ws/upgrade.h"

namespace {

using namespace syncrelay;

void require(bool holds) {
  if (!holds) std::abort();
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

// Part of any loopback name.
bool looks_local(const std::string& name) {
  return name.find("localhost") != name.npos || name.find("127.") != name.npos ||
         name.find("::1") != name.npos;
}

// A page that nobody listed stands on the host itself, its name following the origin's scheme, or
// both stand on this machine.
void check_origin(std::string_view page, std::string_view relay) {
  require(OriginRule({"*"}).allows(page, relay));
  require(OriginRule({std::string(page)}).allows(page, relay));
  require(origin_refusal(page).size() <= kMaxCloseReason);
  if (page.empty() || !OriginRule({}).allows(page, relay)) return;
  const std::string origin = lower(page);
  const std::string host = lower(relay);
  if (looks_local(origin) && looks_local(host)) return;
  std::string name = host.substr(0, host.front() == '[' ? host.find(']') + 1 : host.find(':'));
  if (name.ends_with('.')) name.pop_back();  // makes it no other one
  std::string_view rest = std::string_view(origin).substr(origin.find("://") + 3);
  require(!name.empty() && rest.starts_with(name));
  rest.remove_prefix(name.size());
  if (rest.starts_with('.')) rest.remove_prefix(1);
  require(rest.empty() || rest.starts_with(':'));
}

void check_refusal(const Refusal& refusal) {
  require(refusal.response.status >= 400 && refusal.response.status < 600);
  require(!refusal.response.body.empty());
}

void check_arguments(const std::vector<std::string>& arguments) {
  using std::chrono::seconds;
  const ClientRequest request = parse_client_request(arguments);
  require(!request.subscriptions.empty());
  for (const SubscribeMessage& wish : request.subscriptions) {
    if (wish.after) require(wish.wants_resume && wish.after->seq.value < UINT64_MAX);
  }
  if (request.heartbeat) {
    require(*request.heartbeat >= seconds(kMinHeartbeatSeconds) &&
            *request.heartbeat <= seconds(kMaxHeartbeatSeconds));
  }
}

// Views into the input.
bool lies_in(std::string_view part, std::string_view whole) {
  return part.empty() ||
         (part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size());
}

void check_request(const HttpRequest& request, std::string_view head) {
  for (const std::string_view part : {request.method(), request.path(), request.query(),
                                      request.host(), request.field("origin")}) {
    require(lies_in(part, head));
  }
  check_origin(request.field("origin"), request.host());
  require(HostRule({}, {}).judge(request.host()) != HostRule::Verdict::refused);
  if (const auto refusal = check_upgrade(request)) check_refusal(*refusal);
  check_arguments(arguments_of(request.query()));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const std::size_t end = head_end(bytes, 0);
  require(end <= size);
  for (const std::size_t searched : {size / 3, size / 2}) {
    if (head_end(bytes.substr(0, searched), 0) == 0) require(head_end(bytes, searched) == end);
  }
  if (end == 0) return 0;
  const auto request = HttpRequest::parse(bytes.substr(0, end));
  if (request) {
    check_request(request.value(), bytes.substr(0, end));
  } else {
    require(request.error().status >= 400 && request.error().status < 600);
  }
  return 0;
}
