#include "tls_client.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <cerrno>
#include <utility>

namespace syncrelay::bench {

TlsClients::TlsClients() : context_(SSL_CTX_new(TLS_client_method())) {
  SSL_CTX_set_mode(context_, SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_session_cache_mode(context_, SSL_SESS_CACHE_OFF);
}

TlsClients::~TlsClients() {
  SSL_CTX_free(context_);
}

void TlsClient::Free::operator()(ssl_st* ssl) const {
  SSL_free(ssl);
}

TlsClient::TlsClient(ssl_ctx_st* context, int socket, std::string request)
    : ssl_(SSL_new(context)), request_(std::move(request)) {
  SSL_set_fd(ssl_.get(), socket);
  SSL_set_connect_state(ssl_.get());
  SSL_do_handshake(ssl_.get());
}

ssize_t TlsClient::receive(char* into, std::size_t size) {
  ERR_clear_error();
  if (!request_.empty()) {
    const int done = SSL_do_handshake(ssl_.get());
    if (done != 1) return failed(done);
    SSL_write(ssl_.get(), request_.data(), static_cast<int>(request_.size()));
    request_.clear();
  }
  std::size_t count = 0;
  if (SSL_read_ex(ssl_.get(), into, size, &count) == 1) return static_cast<ssize_t>(count);
  return failed(0);
}

ssize_t TlsClient::send(const char* bytes, std::size_t size) {
  ERR_clear_error();
  return SSL_write(ssl_.get(), bytes, static_cast<int>(size));
}

ssize_t TlsClient::failed(int result) {
  const int why = SSL_get_error(ssl_.get(), result);
  if (why == SSL_ERROR_ZERO_RETURN) return 0;
  errno = why == SSL_ERROR_WANT_READ ? EAGAIN : EPROTO;
  return -1;
}

}  // namespace syncrelay::bench
