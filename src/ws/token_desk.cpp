#include "syncrelay/ws/token_desk.h"

#include <chrono>

namespace syncrelay {
namespace {

constexpr Duration kTokenWarningInterval = std::chrono::seconds(1);

}  // namespace

TokenDesk::TokenDesk(const TokenSettings* settings, const Clock& clock, ShardStats& stats,
                     const Log& log)
    : settings_(settings), clock_(clock), stats_(stats), log_(log) {
  if (settings != nullptr) verifier_.emplace(settings->ring, settings->rules);
}

Result<TokenDesk::Access, TokenDesk::Refused> TokenDesk::admit(
    const HttpRequest& request, const std::vector<std::string>& arguments,
    std::string_view address) {
  if (settings_ == nullptr) return Access();
  const auto token = token_of(request, arguments, settings_->places);
  if (!token && settings_->optional) return Access();
  if (!token) return Refused{"token_missing"};
  auto verdict = verify(*token, address);
  if (verdict) return std::move(verdict).value();
  return Refused{verdict.error() == TokenFault::expired ? "token_expired" : "token_invalid"};
}

Result<TokenDesk::Access, RefusedMessage> TokenDesk::renew(std::string_view token,
                                                           std::string_view address) {
  if (settings_ == nullptr) return Access();
  auto verdict = verify(token, address);
  if (verdict) return std::move(verdict).value();
  return verdict.error() == TokenFault::expired ? RefusedMessage::token_expired
                                                : RefusedMessage::token_invalid;
}

void TokenDesk::warn_of(const TokenRefusal& refusal, std::string_view address) const {
  constexpr char kText[] = "a token is not taken";
  if (refusal.claim.empty())
    return log_.warning(kText, {{"why", name_of(refusal)}, {"address", address}});
  log_.warning(kText, {{"why", name_of(refusal)},
                       {"claim", refusal.claim},
                       {"has_to_be", refusal.form},
                       {"address", address}});
}

// An operator may have given the wrong key, so it is a warning: once a second at most, because a
// stranger can have it written. Nothing of the token is in it.
TokenVerifier::Verdict TokenDesk::verify(std::string_view token, std::string_view address) {
  auto verdict = verifier_->verify(token, clock_.wall());
  if (verdict) return verdict;
  stats_.tokens_refused[static_cast<std::size_t>(verdict.error().fault)].add();
  const TimePoint now = clock_.now();
  if (now >= next_warning_) {
    next_warning_ = now + kTokenWarningInterval;
    warn_of(verdict.error(), address);
  }
  return verdict;
}

}  // namespace syncrelay
