#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string_view>

#include "syncrelay/auth/key_ring.h"
#include "syncrelay/auth/token.h"

namespace syncrelay {

// Verifies tokens, and remembers those that were good: after a fault of the network or a restart
// all clients come again at once with the ones they had. One thread at a time.
//
// Invariant: it remembers at most kMaxRemembered, none by its text, and none that another key than
// those in force has verified.
class TokenVerifier {
 public:
  static constexpr std::size_t kMaxRemembered = 16 * 1024;

  using Verdict = Result<std::shared_ptr<const Access>, TokenRefusal>;

  // Both must outlive it.
  TokenVerifier(const KeyRing& ring, const TokenRules& rules) : ring_(ring), rules_(rules) {}

  // See verify_token().
  Verdict verify(std::string_view token, WallTime now);

  std::size_t remembered() const { return good_.size(); }
  std::uint64_t recognised() const { return recognised_; }  // were not verified anew

 private:
  using Digest = std::array<unsigned char, 32>;  // SHA-256

  void follow_keys();
  void remember(const Digest& digest, const std::shared_ptr<const Access>& access);

  const KeyRing& ring_;
  const TokenRules& rules_;
  std::shared_ptr<const KeySet> keys_;  // that verified what is remembered
  std::map<Digest, std::shared_ptr<const Access>> good_;
  std::deque<Digest> in_order_;  // the oldest first
  std::uint64_t recognised_ = 0;
};

}  // namespace syncrelay
