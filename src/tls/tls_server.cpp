#include "syncrelay/tls/tls_server.h"

#include <mutex>
#include <new>
#include <utility>

#include "tls_context.h"
#include "tls_parts.h"

namespace syncrelay {

struct TlsServer::Parts {
  Parts(const Clock& clock, std::uint64_t records) : tickets(clock), records_per_key(records) {}

  TicketKeys tickets;
  const std::uint64_t records_per_key;
  std::mutex mutex;    // guards what follows
  SslContext context;  // those before live on in their streams
};

TlsServer::TlsServer(const Clock& clock, std::uint64_t records_per_key)
    : parts_(std::make_unique<Parts>(clock, records_per_key)) {}

TlsServer::~TlsServer() = default;

Result<TlsServer::Certificate, TlsServer::Fault> TlsServer::look_at(std::string_view certificate,
                                                                    std::string_view key) const {
  const auto made = make_tls_context(certificate, key, parts_->tickets);
  if (!made) return made.error();
  return made.value().certificate;
}

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
  return make_tls_stream(std::move(ssl), socket, parts_->records_per_key);
}

}  // namespace syncrelay
