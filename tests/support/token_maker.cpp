#include "support/token_maker.h"

#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>

#include <array>
#include <stdexcept>

#include "support/memory_text.h"

namespace syncrelay {
namespace {

using testing::text_of;

constexpr std::string_view kSecret = "a secret that is only here, of 41 letters";
constexpr std::size_t kHalf = 32;  // of an ES256 signature

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

void require(bool holds) {
  if (!holds) throw std::runtime_error("OpenSSL failed");
}

std::string number(EVP_PKEY* key, const char* name, std::size_t bytes) {
  BIGNUM* value = nullptr;
  require(EVP_PKEY_get_bn_param(key, name, &value) == 1);
  if (bytes == 0) bytes = static_cast<std::size_t>(BN_num_bytes(value));
  std::string text(bytes, '\0');
  BN_bn2binpad(value, reinterpret_cast<unsigned char*>(text.data()), static_cast<int>(bytes));
  BN_free(value);
  return base64url(text);
}

std::string as_two_numbers(const std::string& der) {
  const unsigned char* bytes = bytes_of(der);
  ECDSA_SIG* const numbers = d2i_ECDSA_SIG(nullptr, &bytes, static_cast<long>(der.size()));
  require(numbers != nullptr);
  std::string text(2 * kHalf, '\0');
  auto* const out = reinterpret_cast<unsigned char*>(text.data());
  BN_bn2binpad(ECDSA_SIG_get0_r(numbers), out, kHalf);
  BN_bn2binpad(ECDSA_SIG_get0_s(numbers), out + kHalf, kHalf);
  ECDSA_SIG_free(numbers);
  return text;
}

}  // namespace

std::string base64url(std::string_view bytes) {
  constexpr std::string_view kAlphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  std::string text;
  unsigned waiting = 0, count = 0;
  for (const char byte : bytes) {
    waiting = (waiting << 8) | static_cast<unsigned char>(byte);
    for (count += 8; count >= 6; count -= 6) text += kAlphabet[(waiting >> (count - 6)) & 63];
  }
  if (count > 0) text += kAlphabet[(waiting << (6 - count)) & 63];
  return text;
}

struct TokenMaker::Key {
  EVP_PKEY* pair = nullptr;
  ~Key() { EVP_PKEY_free(pair); }
};

TokenMaker::TokenMaker(SigningAlgorithm algorithm)
    : algorithm_(algorithm), key_(std::make_unique<Key>()) {
  constexpr std::size_t kRsaBits = 2048;
  switch (algorithm) {
    case SigningAlgorithm::hs256:
      return;
    case SigningAlgorithm::rs256:
      key_->pair = EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA", kRsaBits);
      break;
    case SigningAlgorithm::es256:
      key_->pair = EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256");
      break;
    case SigningAlgorithm::eddsa:
      key_->pair = EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519");
      break;
  }
  require(key_->pair != nullptr);
}

TokenMaker::~TokenMaker() = default;

std::string TokenMaker::key_file() const {
  if (algorithm_ == SigningAlgorithm::hs256) return std::string(kSecret) + '\n';
  BIO* const memory = BIO_new(BIO_s_mem());
  require(PEM_write_bio_PUBKEY(memory, key_->pair) == 1);
  return text_of(memory);
}

std::string TokenMaker::private_pem() const {
  BIO* const memory = BIO_new(BIO_s_mem());
  require(PEM_write_bio_PrivateKey(memory, key_->pair, nullptr, nullptr, 0, nullptr, nullptr) == 1);
  return text_of(memory);
}

std::string TokenMaker::jwk(const std::string& more) const {
  EVP_PKEY* const key = key_->pair;
  switch (algorithm_) {
    case SigningAlgorithm::hs256:
      return R"({"kty":"oct","k":")" + base64url(kSecret) + '"' + more + '}';
    case SigningAlgorithm::rs256:
      return R"({"kty":"RSA","n":")" + number(key, OSSL_PKEY_PARAM_RSA_N, 0) + R"(","e":")" +
             number(key, OSSL_PKEY_PARAM_RSA_E, 0) + '"' + more + '}';
    case SigningAlgorithm::es256:
      return R"({"kty":"EC","crv":"P-256","x":")" + number(key, OSSL_PKEY_PARAM_EC_PUB_X, kHalf) +
             R"(","y":")" + number(key, OSSL_PKEY_PARAM_EC_PUB_Y, kHalf) + '"' + more + '}';
    case SigningAlgorithm::eddsa:
      break;
  }
  std::string raw(kHalf, '\0');
  std::size_t size = raw.size();
  require(EVP_PKEY_get_raw_public_key(key, reinterpret_cast<unsigned char*>(raw.data()), &size) ==
          1);
  return R"({"kty":"OKP","crv":"Ed25519","x":")" + base64url(raw) + '"' + more + '}';
}

std::string TokenMaker::sign(std::string_view text) const {
  std::array<unsigned char, 1024> out{};
  if (algorithm_ == SigningAlgorithm::hs256) {
    unsigned size = 0;
    HMAC(EVP_sha256(), kSecret.data(), static_cast<int>(kSecret.size()), bytes_of(text),
         text.size(), out.data(), &size);
    return {reinterpret_cast<const char*>(out.data()), size};
  }
  const bool whole = algorithm_ == SigningAlgorithm::eddsa;
  EVP_MD_CTX* const context = EVP_MD_CTX_new();
  std::size_t size = out.size();
  require(EVP_DigestSignInit(context, nullptr, whole ? nullptr : EVP_sha256(), nullptr,
                             key_->pair) == 1 &&
          EVP_DigestSign(context, out.data(), &size, bytes_of(text), text.size()) == 1);
  EVP_MD_CTX_free(context);
  const std::string signature(reinterpret_cast<const char*>(out.data()), size);
  return algorithm_ == SigningAlgorithm::es256 ? as_two_numbers(signature) : signature;
}

std::string TokenMaker::token(std::string_view header, std::string_view payload) const {
  const std::string text = base64url(header) + '.' + base64url(payload);
  return text + '.' + base64url(sign(text));
}

std::string TokenMaker::token(std::string_view payload) const {
  return token(R"({"typ":"JWT","alg":")" + std::string(name_of(algorithm_)) + "\"}", payload);
}

}  // namespace syncrelay
