#pragma once

#include <string_view>

#include "openssl.h"
#include "syncrelay/base/result.h"
#include "syncrelay/tls/tls_server.h"
#include "ticket_keys.h"

namespace syncrelay {

struct TlsContext {
  SslContext ssl;
  TlsServer::Certificate certificate;
};

// One certificate and its key, made ready for connections; see TlsServer. `tickets` must outlive
// it.
Result<TlsContext, TlsServer::Fault> make_tls_context(std::string_view certificate,
                                                      std::string_view key, TicketKeys& tickets);

}  // namespace syncrelay
