#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "syncrelay/base/result.h"

namespace syncrelay {

// How a token may be signed (RFC 7518 section 3.1, RFC 8037 section 3.1). Nothing else is verified,
// `none` least of all.
enum class SigningAlgorithm : std::uint8_t { hs256, rs256, es256, eddsa };

// As a token's header names it: "HS256".
std::string_view name_of(SigningAlgorithm algorithm);

// A key that proves who signed a token: a shared secret or a public key. Which algorithm it is for
// follows from the key alone (RFC 8725 section 3.1). Immutable; thread-safe.
class VerificationKey {
 public:
  static constexpr std::size_t kMinSecretBytes = 32;  // RFC 7518 section 3.2
  static constexpr int kMinRsaBits = 2048;            // RFC 7518 section 3.3

  using Made = Result<VerificationKey, std::string>;  // the error is for a person

  // HS256.
  static Made from_secret(std::string_view secret);
  // "-----BEGIN PUBLIC KEY-----": RSA, EC on P-256, or Ed25519.
  static Made from_pem(std::string_view text);
  // Numbers as in a JWK, big-endian bytes (RFC 7518 section 6).
  static Made from_rsa(std::string_view modulus, std::string_view exponent);
  static Made from_p256(std::string_view x, std::string_view y);
  static Made from_ed25519(std::string_view x);

  SigningAlgorithm algorithm() const { return algorithm_; }

  // Whether `signature` is one of `text` by this key's owner. Constant in time where that matters.
  bool verifies(std::string_view text, std::string_view signature) const;

 private:
  struct Material;
  VerificationKey(SigningAlgorithm algorithm, std::shared_ptr<const Material> material)
      : algorithm_(algorithm), material_(std::move(material)) {}
  static Made from_material(std::shared_ptr<Material> material);

  SigningAlgorithm algorithm_;
  std::shared_ptr<const Material> material_;
};

}  // namespace syncrelay
