#pragma once

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <cstring>
#include <memory>
#include <string>

#include "syncrelay/base/freed.h"

namespace syncrelay {

// OpenSSL's objects with their end.
using SslContext = std::unique_ptr<SSL_CTX, Freed<SSL_CTX_free>>;
using Ssl = std::unique_ptr<SSL, Freed<SSL_free>>;

// What OpenSSL says of its latest failure on this thread, which is forgotten.
inline std::string take_openssl_error() {
  const unsigned long error = ERR_peek_error();
  ERR_clear_error();
  if (ERR_SYSTEM_ERROR(error)) return std::strerror(ERR_GET_REASON(error));
  const char* const text = ERR_reason_error_string(error);
  return text == nullptr ? "unknown error" : text;
}

}  // namespace syncrelay
