#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "syncrelay/auth/verification_key.h"

namespace syncrelay {

std::string base64url(std::string_view bytes);

// Who issues tokens: has a fresh key pair, or a secret.
class TokenMaker {
 public:
  explicit TokenMaker(SigningAlgorithm algorithm);
  ~TokenMaker();

  SigningAlgorithm algorithm() const { return algorithm_; }
  // What the relay gets: a secret, or a public key in PEM.
  std::string key_file() const;
  std::string private_pem() const;
  // One member of a JWK Set, with `more` at its end: `,"kid":"a"`.
  std::string jwk(const std::string& more) const;

  std::string sign(std::string_view text) const;
  std::string token(std::string_view header, std::string_view payload) const;
  // With the plainest header.
  std::string token(std::string_view payload) const;

 private:
  struct Key;
  const SigningAlgorithm algorithm_;
  std::unique_ptr<Key> key_;
};

}  // namespace syncrelay
