#pragma once

#include <optional>
#include <string>

#include "openssl.h"
#include "syncrelay/tls/tls_stream.h"

namespace syncrelay {

struct TlsStream::Parts {
  Ssl ssl;
  int socket = -1;
  std::uint64_t records_per_key = 0;
  std::uint64_t records = 0;   // sent with this key
  unsigned peers_keys = 0;     // that the peer has changed to since the handshake
  ByteSpan incoming;           // fed and not read yet
  std::string unsent;          // encrypted; what the socket did not take
  std::size_t negotiated = 0;  // bytes that were fed for the handshake
  std::string opening;         // the first of them, up to where a hello says how long it is
  bool lost = false;           // the socket takes no more
  bool begun = false;
  bool established = false;
  bool ended = false;
  bool end_said = false;
  std::optional<TlsFault> fault;
  std::string fault_text;
};

// A stream that speaks by `ssl` and sends to `socket`.
std::unique_ptr<TlsStream> make_tls_stream(Ssl ssl, int socket, std::uint64_t records_per_key);

}  // namespace syncrelay
