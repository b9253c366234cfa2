#include "syncrelay/tls/tls_server.h"

#include <mutex>
#include <new>
#include <utility>

#include "tls_context.h"
#include "tls_parts.h"

namespace syncrelay {

struct TlsServer::Parts {
  explicit Parts(const Clock& clock) : tickets(clock) {}

  TicketKeys tickets;
  std::mutex mutex;    // guards what follows
  SslContext context;  // those before live on in their streams
};

TlsServer::TlsServer(const Clock& clock) : parts_(std::make_unique<Parts>(clock)) {}

TlsServer::~TlsServer() = default;

Result<TlsServer::Certificate, TlsServer::Fault> TlsServer::use(std::string_view certificate,
                                                                std::string_view key) {
  auto made = make_tls_context(certificate, key, parts_->tickets);
  if (!made) return made.error();
  const std::lock_guard lock(parts_->mutex);
  parts_->context = std::move(made.value().ssl);
  return made.value().certificate;
}

std::unique_ptr<TlsStream> TlsServer::accept(int socket) const {
  Ssl ssl;
  {
    const std::lock_guard lock(parts_->mutex);
    ssl.reset(SSL_new(parts_->context.get()));
  }
  if (!ssl) throw std::bad_alloc();
  SSL_set_accept_state(ssl.get());
  return make_tls_stream(std::move(ssl), socket);
}

}  // namespace syncrelay
