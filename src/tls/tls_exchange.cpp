#include "syncrelay/tls/tls_exchange.h"

#include <array>

#include "openssl.h"

namespace syncrelay {
namespace {

std::string read_to_end(SSL* ssl, std::size_t most) {
  std::string answer;
  std::array<char, 1024> bytes;
  std::size_t count = 0;
  while (answer.size() < most && SSL_read_ex(ssl, bytes.data(), bytes.size(), &count) == 1)
    answer.append(bytes.data(), count);
  return answer;
}

}  // namespace

Result<std::string, NoTlsAnswer> tls_exchange(int socket, std::string_view request,
                                              std::size_t most) {
  ERR_clear_error();
  const SslContext context(SSL_CTX_new(TLS_client_method()));
  const Ssl ssl(context ? SSL_new(context.get()) : nullptr);
  if (!ssl || SSL_set_fd(ssl.get(), socket) != 1)
    return NoTlsAnswer{"OpenSSL: " + take_openssl_error()};
  std::size_t written = 0;
  if (SSL_connect(ssl.get()) != 1) {
    const bool plain = ERR_GET_REASON(ERR_peek_error()) == SSL_R_WRONG_VERSION_NUMBER;
    const std::string why = take_openssl_error();
    return NoTlsAnswer{plain ? "no TLS is spoken there, and --tls-cert says that it is"
                             : "TLS handshake: " + why};
  }
  if (SSL_write_ex(ssl.get(), request.data(), request.size(), &written) != 1)
    return NoTlsAnswer{"TLS: " + take_openssl_error()};
  return read_to_end(ssl.get(), most);
}

}  // namespace syncrelay
