#pragma once

#include <cstdint>
#include <string>

#include "syncrelay/base/result.h"

namespace syncrelay {

// A listening TCP socket; closed when it goes.
class Listener {
 public:
  // `host`: an address or a name. Port 0: the system picks one. The error says what failed and why.
  static Result<Listener, std::string> open(const std::string& host, std::uint16_t port);

  Listener(Listener&& other) noexcept;
  Listener& operator=(Listener&& other) noexcept;
  ~Listener();

  int fd() const { return fd_; }
  std::uint16_t port() const { return port_; }

 private:
  Listener(int fd, std::uint16_t port) : fd_(fd), port_(port) {}

  int fd_;
  std::uint16_t port_;
};

}  // namespace syncrelay
