#pragma once

#include <memory>
#include <string>

#include "syncrelay/base/result.h"

namespace syncrelay {

struct NoTlsTrust {
  std::string why;
};

// Whom a client believes over TLS: those whose certificates lead to one that it trusts, and name
// the host it connects to. TLS 1.2 and 1.3.
class TlsTrust {
 public:
  // `ca`: a file with the certificates that are trusted, in PEM, which may be the server's own.
  // Empty: what this system trusts.
  static Result<TlsTrust, NoTlsTrust> in(const std::string& ca);
  TlsTrust(TlsTrust&& other) noexcept;
  ~TlsTrust();

  // An SSL_CTX*, for a library that connects by itself, and looks at the name itself; lives as long
  // as this.
  void* context() const;

  // Whether what a server said in its turn was no TLS.
  bool met_plain() const;

  // Why the latest server was not believed; empty: all were.
  const std::string& refusal() const;

 private:
  struct Parts;
  explicit TlsTrust(std::unique_ptr<Parts> parts);

  std::unique_ptr<Parts> parts_;
};

}  // namespace syncrelay
