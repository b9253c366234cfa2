#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "syncrelay/base/ip_address.h"
#include "syncrelay/base/result.h"
#include "syncrelay/ws/http_request.h"

namespace syncrelay {

// Which addresses are proxies that say for whom they speak. Thread-safe.
class ProxyRule {
 public:
  // Precondition: each is one for IpNetwork::parse().
  explicit ProxyRule(const std::vector<std::string>& networks);

  bool trusts(std::string_view address) const;

  // True for the first call only: an operator is told once that somebody who is not trusted speaks
  // for others.
  bool first_untrusted() const { return !told_.exchange(true); }

  enum class Doubt : std::uint8_t {
    unusable,      // what should name a client is no address
    contradiction  // X-Forwarded-For and Forwarded do not name the same
  };

  // Whose request it is that came from the address `peer`: the peer's own, unless that is trusted
  // and names another. A list is read from its end, where each proxy has added who came to it: the
  // first address that is not trusted is the client's, or the last where all are. What stands
  // before it, who came has made up, and it is not looked at.
  //
  // Both X-Forwarded-For and Forwarded (RFC 7239) are understood. A proxy that writes one of them
  // may pass on the other as it came from a stranger, who would then choose by which address it is
  // known, or hide its own. So where both are there they have to agree.
  Result<std::string, Doubt> client_of(const HttpRequest& request, std::string_view peer) const;

 private:
  struct Claim;

  bool trusts(const IpAddress& address) const;
  Claim furthest(const std::vector<std::string>& nodes) const;

  std::vector<IpNetwork> trusted_;
  mutable std::atomic<bool> told_{false};
};

// It says for whom it speaks, as a proxy does, truly or not.
bool names_client(const HttpRequest& request);

}  // namespace syncrelay
