#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "syncrelay/auth/key_ring.h"
#include "syncrelay/auth/token_verifier.h"
#include "syncrelay/base/clock.h"
#include "syncrelay/base/log.h"
#include "syncrelay/metrics/stats.h"
#include "syncrelay/protocol/refused_message.h"
#include "syncrelay/ws/token_place.h"

namespace syncrelay {

// How tokens are asked for, as the options say. Immutable but for the keys.
struct TokenSettings {
  KeyRing ring;
  TokenRules rules;
  bool optional = false;  // who has none is let in, too
  TokenPlaces places;
};

// Looks at the tokens of one shard's clients. Its thread only.
class TokenDesk {
 public:
  // All must outlive it. Null: tokens are not asked for, and not looked at.
  TokenDesk(const TokenSettings* settings, const Clock& clock, ShardStats& stats, const Log& log);

  using Access = std::shared_ptr<const syncrelay::Access>;  // null: without a token

  // What it is that keeps somebody out: reason of the close frame.
  struct Refused {
    std::string_view reason;
  };

  Result<Access, Refused> admit(const HttpRequest& request,
                                const std::vector<std::string>& arguments,
                                std::string_view address);

  // Of a client that is here already.
  Result<Access, RefusedMessage> renew(std::string_view token, std::string_view address);

 private:
  TokenVerifier::Verdict verify(std::string_view token, std::string_view address);
  void warn_of(const TokenRefusal& refusal, std::string_view address) const;

  const TokenSettings* settings_;
  std::optional<TokenVerifier> verifier_;
  const Clock& clock_;
  ShardStats& stats_;
  const Log& log_;
  TimePoint next_warning_{};
};

}  // namespace syncrelay
