#include "syncrelay/auth/bearer_secret.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

namespace syncrelay {

BearerSecret::Hash BearerSecret::hash_of(std::string_view text) {
  Hash hash{};
  EVP_Digest(text.data(), text.size(), hash.data(), nullptr, EVP_sha256(), nullptr);
  return hash;
}

void BearerSecret::replace(std::string_view secret) {
  const Hash hash = hash_of(secret);
  const std::lock_guard lock(mutex_);
  hash_ = hash;
}

bool BearerSecret::is(std::string_view shown) const {
  const Hash hash = hash_of(shown);
  const std::lock_guard lock(mutex_);
  return CRYPTO_memcmp(hash.data(), hash_.data(), hash.size()) == 0;
}

}  // namespace syncrelay
