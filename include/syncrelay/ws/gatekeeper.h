#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "syncrelay/base/log.h"
#include "syncrelay/shard/session.h"
#include "syncrelay/ws/admission.h"
#include "syncrelay/ws/connect_rate.h"
#include "syncrelay/ws/first_page.h"
#include "syncrelay/ws/host_rule.h"
#include "syncrelay/ws/http_request.h"
#include "syncrelay/ws/http_response.h"
#include "syncrelay/ws/origin_rule.h"
#include "syncrelay/ws/proxy_rule.h"
#include "syncrelay/ws/status.h"
#include "syncrelay/ws/token_desk.h"
#include "syncrelay/ws/upgrade.h"

namespace syncrelay {

// What all gatekeepers of a relay ask. Thread-safe.
struct DoorRules {
  Admission& admission;
  HostRule& hosts;
  const OriginRule& origins;
  const ProxyRule& proxies;
  const TokenSettings* tokens;      // null: none are asked for
  ConnectRate* connect_rate;        // null: there is no such bound
  bool compression = true;          // permessage-deflate is granted to who offers it
  const FirstPage* page = nullptr;  // null: the client port shows none
};

// Decides what becomes of a request: a page, a refusal, or a client. All that may keep somebody out
// is asked for here and nowhere else. Its shard's thread only.
class Gatekeeper {
 public:
  // A client is let in: `answer` grants the upgrade.
  struct Welcome {
    std::string answer;
    std::string address;  // the client's: its proxy's may be another
    ClientRequest request;
    Admission::Seat seat;
  };
  // A page or a refusal; the connection ends with it.
  struct Reply {
    std::string answer;
  };
  using Decision = std::variant<Welcome, Reply>;

  // All references must outlive the gatekeeper.
  Gatekeeper(const DoorRules& rules, ShardStats& stats, const Status& status, const Log& log);

  // `head`: a whole head of a request, see head_end(). `peer`: the address that it came from.
  Decision decide(std::string_view head, std::string_view peer);

  // To which network a connection counts that is no client, see Transients; empty: to none, as it
  // is a proxy's, who has many.
  std::string crowd_of(std::string_view address) const;

  // What the newer token of a client grants, see TokenDesk.
  Result<TokenDesk::Access, RefusedMessage> renew(std::string_view token,
                                                  std::string_view address) {
    return tokens_.renew(token, address);
  }

  // What a client is told whose head is longer than kMaxHeadBytes, or can never be one.
  Reply refuse_head(const HttpFault& fault, std::string_view address);
  // Somebody speaks TLS to a listener that has none, which the log tells.
  Reply refuse_tls(std::string_view address);

 private:
  // Whose request it is; nullopt: there are two answers to that.
  std::optional<std::string> client_of(const HttpRequest& request, std::string_view peer);
  Decision admit(const HttpRequest& request, std::string address, std::string_view peer);
  Reply page(const HttpRequest& request, std::string_view address);
  Reply refuse(const Refusal& refusal, const HttpRequest& request, std::string_view address);
  // For want of room, which the log tells where it is an address's.
  Reply refuse_crowd(const Refusal& refusal, const HttpRequest& request, std::string_view address,
                     std::string_view peer);
  Reply answer(const HttpResponse& response, const HttpRequest& request) const;
  Reply refuse_page(const HttpRequest& request, std::string_view address);
  // A script sees nothing of an HTTP answer to its handshake, but it sees the close frame behind
  // one that was granted.
  Reply refuse_behind_upgrade(const HttpRequest& request, RefusalReason why, CloseCode code,
                              std::string_view reason);
  void log_refusal(const Refusal& refusal, const HttpRequest& request, std::string_view address);
  void warn(std::string_view what, const HttpRequest& request, std::string_view address,
            const std::string& allow_with);
  bool may_warn(TimePoint& next) const;
  void tell_of_proxy(std::string_view what, const HttpRequest& request, std::string_view proxy);
  void tell_of_unlisted_host(std::string_view host);
  void tell_of_untrusted_proxy(std::string_view peer);

  const DoorRules rules_;
  ShardStats& stats_;
  const Status& status_;
  const Log& log_;
  TokenDesk tokens_;
  TimePoint next_warning_{};
  TimePoint next_proxy_warning_{};
  TimePoint next_crowd_warning_{};
};

}  // namespace syncrelay
