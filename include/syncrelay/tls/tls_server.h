#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "syncrelay/base/clock.h"
#include "syncrelay/base/result.h"
#include "syncrelay/tls/tls_stream.h"

namespace syncrelay {

// What listeners speak TLS with: a certificate and its key, which may be replaced while connections
// come, and the keys of session tickets, which outlive them. TLS 1.2 and 1.3, ciphers with forward
// secrecy and AEAD only, no renegotiation, no compression, no early data. Thread-safe.
class TlsServer {
 public:
  // AES-GCM is good for 2^24.5 records with one key (RFC 8446 section 5.5).
  static constexpr std::uint64_t kRecordsPerKey = 1ULL << 24;

  // `clock` must outlive it. It must outlive its streams. `records_per_key`: after so many, TLS 1.3
  // goes on with a new one.
  explicit TlsServer(const Clock& clock, std::uint64_t records_per_key = kRecordsPerKey);
  ~TlsServer();
  TlsServer(const TlsServer&) = delete;
  TlsServer& operator=(const TlsServer&) = delete;

  // Why a pair cannot be used, and by which of the two.
  struct Fault {
    enum class Of : std::uint8_t {
      certificate,
      key,
      pair  // the key is good, and another certificate's
    } of;
    std::string why;
  };
  struct Certificate {
    std::string subject;       // its common name; empty: it has none
    std::int64_t begins = 0;   // seconds since 1970
    std::int64_t expires = 0;  // the same
  };

  // What use() would say of a pair, which is not used. Both as there.
  Result<Certificate, Fault> look_at(std::string_view certificate, std::string_view key) const;

  // Connections that come from now on get this pair, those that are there keep theirs. Both in PEM;
  // behind the certificate those that lead to its root may follow. With a fault all stays as it is.
  Result<Certificate, Fault> use(std::string_view certificate, std::string_view key);

  // The relay's end of a connection that has just been accepted; its owner closes the socket later.
  // Precondition: a pair is in use.
  std::unique_ptr<TlsStream> accept(int socket) const;

 private:
  struct Parts;
  const std::unique_ptr<Parts> parts_;
};

}  // namespace syncrelay
