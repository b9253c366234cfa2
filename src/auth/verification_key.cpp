#include "syncrelay/auth/verification_key.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>

#include <array>
#include <climits>

#include "syncrelay/base/freed.h"

namespace syncrelay {
namespace {

constexpr std::size_t kP256Bytes = 32;  // of a coordinate, and of each half of a signature
constexpr std::size_t kEd25519Bytes = 32;
constexpr int kMaxRsaBits = 8192;  // a longer one only costs time

using Key = std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY_free>>;
using KeyContext = std::unique_ptr<EVP_PKEY_CTX, Freed<EVP_PKEY_CTX_free>>;
using DigestContext = std::unique_ptr<EVP_MD_CTX, Freed<EVP_MD_CTX_free>>;
using Number = std::unique_ptr<BIGNUM, Freed<BN_free>>;
using Parameters = std::unique_ptr<OSSL_PARAM, Freed<OSSL_PARAM_free>>;
using ParameterBuilder = std::unique_ptr<OSSL_PARAM_BLD, Freed<OSSL_PARAM_BLD_free>>;
using EcdsaSignature = std::unique_ptr<ECDSA_SIG, Freed<ECDSA_SIG_free>>;
using Memory = std::unique_ptr<BIO, Freed<BIO_free>>;

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

Number number_of(std::string_view bytes) {
  return Number(BN_bin2bn(bytes_of(bytes), static_cast<int>(bytes.size()), nullptr));
}

Key key_of(const char* type, const OSSL_PARAM_BLD& builder) {
  const Parameters parameters(OSSL_PARAM_BLD_to_param(const_cast<OSSL_PARAM_BLD*>(&builder)));
  const KeyContext context(EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
  EVP_PKEY* key = nullptr;
  const bool made =
      parameters && context && EVP_PKEY_fromdata_init(context.get()) == 1 &&
      EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, parameters.get()) == 1;
  ERR_clear_error();
  return Key(made ? key : nullptr);
}

// The two numbers of a JWS signature (RFC 7518 section 3.4) as OpenSSL wants them; empty: they
// cannot be one.
std::string der_of(std::string_view signature) {
  if (signature.size() != 2 * kP256Bytes) return {};
  const EcdsaSignature numbers(ECDSA_SIG_new());
  Number r = number_of(signature.substr(0, kP256Bytes));
  Number s = number_of(signature.substr(kP256Bytes));
  if (!numbers || !r || !s || ECDSA_SIG_set0(numbers.get(), r.get(), s.get()) != 1) return {};
  static_cast<void>(r.release());  // are the signature's now
  static_cast<void>(s.release());
  unsigned char* der = nullptr;
  const int size = i2d_ECDSA_SIG(numbers.get(), &der);
  if (size <= 0) return {};
  std::string text(reinterpret_cast<const char*>(der), static_cast<std::size_t>(size));
  OPENSSL_free(der);
  return text;
}

}  // namespace

std::string_view name_of(SigningAlgorithm algorithm) {
  constexpr std::array<std::string_view, 4> kNames = {"HS256", "RS256", "ES256", "EdDSA"};
  return kNames[static_cast<std::size_t>(algorithm)];
}

struct VerificationKey::Material {
  std::string secret;  // of HS256
  Key key;             // of all else
  KeyContext ready;    // of RS256 and ES256: set up to verify a SHA-256, to be copied

  bool verifies_mac(std::string_view text, std::string_view signature) const {
    std::array<unsigned char, EVP_MAX_MD_SIZE> mac{};
    unsigned size = 0;
    if (HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()), bytes_of(text),
             text.size(), mac.data(), &size) == nullptr)
      return false;
    return signature.size() == size && CRYPTO_memcmp(mac.data(), signature.data(), size) == 0;
  }

  bool verifies_digest(std::string_view text, std::string_view signature) const {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned size = 0;
    const KeyContext context(EVP_PKEY_CTX_dup(ready.get()));
    return context &&
           EVP_Digest(text.data(), text.size(), digest.data(), &size, EVP_sha256(), nullptr) == 1 &&
           EVP_PKEY_verify(context.get(), bytes_of(signature), signature.size(), digest.data(),
                           size) == 1;
  }

  bool verifies_whole(std::string_view text, std::string_view signature) const {
    const DigestContext context(EVP_MD_CTX_new());
    return context &&
           EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, key.get()) == 1 &&
           EVP_DigestVerify(context.get(), bytes_of(signature), signature.size(), bytes_of(text),
                            text.size()) == 1;
  }
};

VerificationKey::Made VerificationKey::from_secret(std::string_view secret) {
  if (secret.size() < kMinSecretBytes) {
    return "a secret of " + std::to_string(secret.size()) +
           " bytes is too short for HS256: " + std::to_string(kMinSecretBytes) +
           " at least (RFC 7518 section 3.2), for example from `openssl rand -hex 32`";
  }
  if (secret.size() > INT_MAX) return std::string("the secret is too long");
  auto material = std::make_shared<Material>();
  material->secret = secret;
  return VerificationKey(SigningAlgorithm::hs256, std::move(material));
}

VerificationKey::Made VerificationKey::from_pem(std::string_view text) {
  if (text.find("PRIVATE KEY-----") != text.npos) {
    return std::string(
        "this is a private key, which a relay must not have: give it the public one "
        "(`openssl pkey -in KEY -pubout`)");
  }
  if (text.find("-----BEGIN CERTIFICATE-----") != text.npos) {
    return std::string(
        "this is a certificate: give the relay its public key "
        "(`openssl x509 -in FILE -noout -pubkey`)");
  }
  const Memory memory(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
  auto material = std::make_shared<Material>();
  if (memory) material->key.reset(PEM_read_bio_PUBKEY(memory.get(), nullptr, nullptr, nullptr));
  ERR_clear_error();
  if (!material->key) return std::string("this is no public key in PEM that OpenSSL can read");
  return from_material(std::move(material));
}

VerificationKey::Made VerificationKey::from_rsa(std::string_view modulus,
                                                std::string_view exponent) {
  constexpr std::size_t kBits = 8;
  if (modulus.size() * kBits > kMaxRsaBits || exponent.size() > modulus.size())
    return std::string("its numbers are too long");
  const ParameterBuilder builder(OSSL_PARAM_BLD_new());
  const Number n = number_of(modulus), e = number_of(exponent);
  auto material = std::make_shared<Material>();
  if (builder && n && e &&
      OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, n.get()) == 1 &&
      OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, e.get()) == 1)
    material->key = key_of("RSA", *builder);
  if (!material->key) return std::string("its numbers make no RSA key");
  return from_material(std::move(material));
}

VerificationKey::Made VerificationKey::from_p256(std::string_view x, std::string_view y) {
  if (x.size() != kP256Bytes || y.size() != kP256Bytes)
    return std::string("the coordinates of P-256 have 32 bytes each");
  const std::string point = '\x04' + std::string(x).append(y);  // uncompressed, SEC 1 section 2.3.3
  const ParameterBuilder builder(OSSL_PARAM_BLD_new());
  auto material = std::make_shared<Material>();
  if (builder &&
      OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, "P-256", 0) == 1 &&
      OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(),
                                       point.size()) == 1)
    material->key = key_of("EC", *builder);
  if (!material->key) return std::string("its coordinates are no point of P-256");
  return from_material(std::move(material));
}

VerificationKey::Made VerificationKey::from_ed25519(std::string_view x) {
  auto material = std::make_shared<Material>();
  if (x.size() == kEd25519Bytes) {
    material->key.reset(
        EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, bytes_of(x), x.size()));
  }
  if (!material->key) return std::string("an Ed25519 key has 32 bytes");
  return from_material(std::move(material));
}

// By what the key is. Precondition: it has one.
VerificationKey::Made VerificationKey::from_material(std::shared_ptr<Material> material) {
  EVP_PKEY* const key = material->key.get();
  if (EVP_PKEY_is_a(key, "ED25519") == 1)
    return VerificationKey(SigningAlgorithm::eddsa, std::move(material));
  material->ready.reset(EVP_PKEY_CTX_new_from_pkey(nullptr, key, nullptr));
  if (!material->ready || EVP_PKEY_verify_init(material->ready.get()) != 1 ||
      EVP_PKEY_CTX_set_signature_md(material->ready.get(), EVP_sha256()) != 1) {
    ERR_clear_error();
    return std::string("keys of this kind sign nothing: RSA, EC on P-256 or Ed25519");
  }
  if (EVP_PKEY_is_a(key, "RSA") == 1) {
    const int bits = EVP_PKEY_get_bits(key);
    if (bits < kMinRsaBits || bits > kMaxRsaBits) {
      return "an RSA key of " + std::to_string(bits) + " bits: " + std::to_string(kMinRsaBits) +
             " to " + std::to_string(kMaxRsaBits) + " are taken";
    }
    return VerificationKey(SigningAlgorithm::rs256, std::move(material));
  }
  std::array<char, 32> group{};
  if (EVP_PKEY_is_a(key, "EC") == 1 &&
      EVP_PKEY_get_group_name(key, group.data(), group.size(), nullptr) == 1 &&
      std::string_view(group.data()) == "prime256v1")
    return VerificationKey(SigningAlgorithm::es256, std::move(material));
  return std::string("keys of this kind are not taken: RSA, EC on P-256 or Ed25519");
}

bool VerificationKey::verifies(std::string_view text, std::string_view signature) const {
  bool good = false;
  switch (algorithm_) {
    case SigningAlgorithm::hs256:
      return material_->verifies_mac(text, signature);
    case SigningAlgorithm::rs256:
      good = material_->verifies_digest(text, signature);
      break;
    case SigningAlgorithm::es256: {
      const std::string der = der_of(signature);
      good = !der.empty() && material_->verifies_digest(text, der);
      break;
    }
    case SigningAlgorithm::eddsa:
      good = material_->verifies_whole(text, signature);
      break;
  }
  if (!good) ERR_clear_error();
  return good;
}

}  // namespace syncrelay
