#pragma once

#include <openssl/ssl.h>

#include <functional>
#include <memory>
#include <string>

#include "syncrelay/base/descriptor.h"
#include "syncrelay/tls/tls_server.h"

namespace syncrelay::testing {

struct PemPair {
  std::string certificate;
  std::string key;
};
// Self-signed by a fresh P-256 key, for so many days from now; negative: it has expired. With a
// passphrase the key is encrypted.
PemPair make_pem_pair(const std::string& name, int days = 1, const char* passphrase = nullptr);

// A connection over TLS without a network: the relay's end, and a client of OpenSSL's. Nothing
// waits.
class TlsLink {
 public:
  // How the client differs from what OpenSSL does by itself; before its handshake.
  using Setup = std::function<void(SSL*)>;

  // `send_buffer`: SO_SNDBUF of the relay's end; 0: the system's.
  explicit TlsLink(TlsServer& server, const Setup& setup = {}, int send_buffer = 0);
  ~TlsLink();

  // Until both ends are done, or one of them has failed. True: done.
  bool shake();

  TlsStream& stream() { return *stream_; }
  std::unique_ptr<TlsStream> take_stream() { return std::move(stream_); }
  int socket() const { return ours_.get(); }
  SSL* client() { return client_; }

  // What has come at the relay's end, encrypted; at most so much.
  std::string arrived(std::size_t most = SIZE_MAX);
  // The same decrypted by the stream.
  std::string stream_reads(TlsStream& stream, std::size_t most = SIZE_MAX);
  std::string stream_reads() { return stream_reads(*stream_); }

  // What the client makes of what has come: at most so many plain bytes.
  std::string client_reads(std::size_t most = SIZE_MAX);
  void client_writes(const std::string& text);
  void client_sends(const std::string& raw);  // as it is
  void client_says_end() { SSL_shutdown(client_); }
  bool client_was_told_the_end() const;
  void client_hangs_up() { theirs_.reset(); }

 private:
  Descriptor ours_;
  Descriptor theirs_;
  std::unique_ptr<TlsStream> stream_;
  SSL_CTX* context_;
  SSL* client_;
};

}  // namespace syncrelay::testing
