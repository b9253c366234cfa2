#include "ticket_keys.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include <algorithm>

namespace syncrelay {
namespace {

// What OpenSSL expects of its callback.
constexpr int kFailed = -1;
constexpr int kUnknown = 0;  // a full handshake, then
constexpr int kSealed = 1;
constexpr int kOpenedOnce = 2;  // and another ticket in its place (RFC 8446 appendix C.4)

bool set_mac(EVP_MAC_CTX* mac, std::array<unsigned char, 32> key) {
  char digest[] = "SHA256";
  const std::array<OSSL_PARAM, 3> parameters = {
      OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, key.data(), key.size()),
      OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
      OSSL_PARAM_construct_end(),
  };
  return EVP_MAC_CTX_set_params(mac, parameters.data()) == 1;
}

}  // namespace

void TicketKeys::serve(SSL_CTX* context) {
  SSL_CTX_set_app_data(context, this);
  SSL_CTX_set_tlsext_ticket_key_evp_cb(context, on_ticket);
  SSL_CTX_set_timeout(
      context,
      std::chrono::seconds(std::chrono::duration_cast<std::chrono::seconds>(kTicketLife)).count());
}

int TicketKeys::on_ticket(SSL* ssl, unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher,
                          EVP_MAC_CTX* mac, int sealing) {
  auto& keys = *static_cast<TicketKeys*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl)));
  const std::optional<Key> key = sealing != 0 ? keys.newest() : keys.named(name);
  if (!key) return sealing != 0 ? kFailed : kUnknown;
  if (sealing != 0) {
    std::copy(key->name.begin(), key->name.end(), name);
    if (RAND_bytes(iv, EVP_CIPHER_get_iv_length(EVP_aes_256_cbc())) != 1) return kFailed;
  }
  const bool ready =
      EVP_CipherInit_ex(cipher, EVP_aes_256_cbc(), nullptr, key->cipher.data(), iv, sealing) == 1 &&
      set_mac(mac, key->mac);
  if (!ready) return kFailed;
  return sealing != 0 ? kSealed : kOpenedOnce;
}

std::optional<TicketKeys::Key> TicketKeys::fresh() {
  Key key;
  const bool made = RAND_bytes(key.name.data(), static_cast<int>(key.name.size())) == 1 &&
                    RAND_priv_bytes(key.cipher.data(), static_cast<int>(key.cipher.size())) == 1 &&
                    RAND_priv_bytes(key.mac.data(), static_cast<int>(key.mac.size())) == 1;
  return made ? std::optional(key) : std::nullopt;
}

std::optional<TicketKeys::Key> TicketKeys::newest() {
  const std::lock_guard lock(mutex_);
  retire();
  if (!newest_) {
    newest_ = fresh();
    made_ = clock_.now();
  }
  return newest_;
}

std::optional<TicketKeys::Key> TicketKeys::named(const unsigned char* name) {
  const std::lock_guard lock(mutex_);
  retire();
  for (const std::optional<Key>& key : {newest_, before_}) {
    if (key && std::equal(key->name.begin(), key->name.end(), name)) return key;
  }
  return std::nullopt;
}

// Lets go of what is too old.
void TicketKeys::retire() {
  const Duration age = clock_.now() - made_;
  if (!newest_ || age < kTicketLife) return;
  before_ = age < 2 * kTicketLife ? newest_ : std::nullopt;
  newest_.reset();
}

}  // namespace syncrelay
