#pragma once

#include <sys/types.h>

#include <cstddef>
#include <memory>
#include <string>

struct ssl_st;
struct ssl_ctx_st;

namespace syncrelay::bench {

// One client's TLS over a socket that does not wait. It believes any certificate.
class TlsClient {
 public:
  // `request` is said once the handshake is done, which begins here.
  TlsClient(ssl_ctx_st* context, int socket, std::string request);

  // As recv(): EAGAIN where nothing more is there now.
  ssize_t receive(char* into, std::size_t size);
  // As send(), of few bytes.
  ssize_t send(const char* bytes, std::size_t size);

 private:
  struct Free {
    void operator()(ssl_st* ssl) const;
  };
  ssize_t failed(int result);

  std::unique_ptr<ssl_st, Free> ssl_;
  std::string request_;
};

// What all clients share.
class TlsClients {
 public:
  TlsClients();
  ~TlsClients();
  TlsClients(const TlsClients&) = delete;
  TlsClients& operator=(const TlsClients&) = delete;

  ssl_ctx_st* context() const { return context_; }

 private:
  ssl_ctx_st* context_;
};

}  // namespace syncrelay::bench
