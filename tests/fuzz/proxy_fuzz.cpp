// libFuzzer target: what a stranger has sent ahead of what a trusted proxy adds to X-Forwarded-For
// and Forwarded. Whatever it is, the client is the one that the proxy has seen; in a Forwarded
// field that the proxy appended to, or with both headers, it may be nobody, but never another.
// From who is not trusted, and without the headers, it is the peer. A network that can be read
// holds its own first address.

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "syncrelay/base/ip_address.h"
#include "syncrelay/ws/forwarded.h"
#include "syncrelay/ws/proxy_rule.h"

namespace {

using namespace syncrelay;

constexpr std::string_view kProxy = "10.0.0.1";
constexpr std::string_view kSeen = "203.0.113.7";  // by the proxy

void require(bool holds) {
  if (!holds) std::abort();
}

const ProxyRule& rule() {
  static const ProxyRule only({"10.0.0.0/8"});
  return only;
}

Result<std::string, ProxyRule::Doubt> client(const HttpRequest& request, std::string_view peer) {
  return rule().client_of(request, peer);
}

// A request whose `fields` a stranger has written and the proxy completed.
template <typename Check>
void with_request(const std::string& fields, Check check) {
  const std::string head = "GET / HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n";
  if (head_end(head, 0) != head.size()) return;
  if (const auto request = HttpRequest::parse(head)) check(request.value());
}

void check_lists(const std::string& made_up) {
  const std::string seen(kSeen);
  const std::string listed = "X-Forwarded-For: " + made_up;
  const std::string named = "Forwarded: " + made_up;
  const auto is_seen = [](const HttpRequest& request) {
    const auto found = client(request, kProxy);
    require(found.ok() && found.value() == kSeen);
    require(client(request, "198.51.100.1").value() == "198.51.100.1");
  };
  const auto is_nobody_else = [](const HttpRequest& request) {
    const auto found = client(request, kProxy);
    require(!found || found.value() == kSeen);
  };
  with_request(listed + ", " + seen + "\r\n", is_seen);
  with_request(listed + "\r\nX-Forwarded-For: " + seen + "\r\n", is_seen);
  with_request(named + "\r\nForwarded: for=" + seen + "\r\n", is_seen);
  with_request(named + ", for=" + seen + "\r\n", is_nobody_else);
  with_request(named + "\r\nX-Forwarded-For: " + seen + "\r\n", is_nobody_else);
  with_request(listed + "\r\nForwarded: for=" + seen + "\r\n", is_nobody_else);
}

void check_texts(std::string_view bytes) {
  require(!forwarded_nodes(bytes).empty());
  if (const auto address = node_address(bytes))
    require(IpAddress::parse(address->text()) == address);
  if (const auto network = IpNetwork::parse(bytes)) {
    const auto first = IpAddress::parse(bytes.substr(0, bytes.find('/')));
    require(first && network.value().contains(*first));
  } else {
    require(!network.error().empty());
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  check_texts(bytes);
  if (bytes.find('\n') == bytes.npos) check_lists(std::string(bytes));  // else it is other fields
  return 0;
}
