#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "syncrelay/auth/verification_key.h"
#include "syncrelay/base/result.h"

namespace syncrelay {

// The keys by which tokens are verified. Immutable.
class KeySet {
 public:
  static constexpr std::size_t kMaxKeys = 100;

  using Made = Result<KeySet, std::string>;  // the error is for a person, and shows nothing secret

  // A file with one key: a public key in PEM, or else a secret, without the end of its line. Keys
  // and certificates in other forms are no secrets, and refused.
  static Made of_key_file(std::string_view content);
  // A JWK Set (RFC 7517 section 5): what is of another kind, or for encryption, is left out, and
  // one at least has to remain.
  static Made of_jwks(std::string_view content);

  // The key that a token asks for, if there is: by `kid`, or the only one where the token names
  // none. A set that has a single key without `kid` has it for any.
  const VerificationKey* find(std::optional<std::string_view> kid) const;

  std::size_t size() const { return by_kid_.size() + (nameless_ ? 1 : 0); }

 private:
  KeySet() = default;
  std::optional<std::string> add_jwk(std::string_view jwk);

  std::map<std::string, VerificationKey, std::less<>> by_kid_;
  std::optional<VerificationKey> nameless_;
};

}  // namespace syncrelay
