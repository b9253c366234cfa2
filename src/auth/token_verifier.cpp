#include "syncrelay/auth/token_verifier.h"

#include <openssl/sha.h>

namespace syncrelay {

TokenVerifier::Verdict TokenVerifier::verify(std::string_view token, WallTime now) {
  if (token.size() > kMaxTokenBytes) return TokenRefusal(TokenFault::malformed);
  follow_keys();
  Digest digest{};
  SHA256(reinterpret_cast<const unsigned char*>(token.data()), token.size(), digest.data());
  const auto known = good_.find(digest);
  if (known != good_.end()) {
    if (now.microseconds >= known->second->until.microseconds)
      return TokenRefusal(TokenFault::expired);
    ++recognised_;
    return known->second;
  }
  Verdict verdict = verify_token(token, *keys_, rules_, now);
  if (verdict) remember(digest, verdict.value());
  return verdict;
}

void TokenVerifier::follow_keys() {
  std::shared_ptr<const KeySet> keys = ring_.keys();
  if (keys == keys_) return;
  keys_ = std::move(keys);
  good_.clear();
  in_order_.clear();
}

void TokenVerifier::remember(const Digest& digest, const std::shared_ptr<const Access>& access) {
  if (in_order_.size() == kMaxRemembered) {
    good_.erase(in_order_.front());
    in_order_.pop_front();
  }
  in_order_.push_back(digest);
  good_.emplace(digest, access);
}

}  // namespace syncrelay
