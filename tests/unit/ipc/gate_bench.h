#pragma once

#include <doctest/doctest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <vector>

#include "support/fake_clock.h"
#include "syncrelay/ipc/peer_gate.h"

namespace syncrelay {

using testing::FakeClock;

inline const std::string kGreeting =
    std::string("\xff") + std::string(8, '\0') + "\x7f\x03" + std::string(53, '\0');

// A frame of fewer than 256 bytes.
inline std::string frame(std::size_t size, bool more = false) {
  return std::string(1, static_cast<char>(more ? 1 : 0)) + static_cast<char>(size) +
         std::string(size, 'x');
}

// A listening socket of the kernel's own choice of name, and peers that connect to it. The test
// calls what ZeroMQ calls: accept4() and recv().
class GateBench {
 public:
  explicit GateBench(const PeerGate::Bounds& bounds,
                     PeerGate::Answers answers = PeerGate::Answers::each,
                     ZmtpMeter::Mechanism mechanism = ZmtpMeter::Mechanism::none)
      : gate(bounds, clock_, [this] { ++held_up; }) {
    gate.watch(
        answers, [this] { return listener_; }, mechanism);
  }
  ~GateBench() {
    for (const int fd : fds_) close(fd);
    close(listener_);
  }

  int connect() {
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_storage address{};
    socklen_t size = sizeof address;
    getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    REQUIRE(::connect(fd, reinterpret_cast<sockaddr*>(&address), size) == 0);
    fds_.push_back(fd);
    return fd;
  }

  int accept() {
    const int fd = accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0) fds_.push_back(fd);
    return fd;
  }

  void send(int fd, const std::string& bytes) {
    REQUIRE(::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL) ==
            static_cast<ssize_t>(bytes.size()));
  }

  // What one recv() returns; -errno when it fails.
  int receive(int fd) {
    char bytes[4096];
    const ssize_t size = recv(fd, bytes, sizeof bytes, 0);
    return size < 0 ? -errno : static_cast<int>(size);
  }

  void close_now(int fd) {
    close(fd);
    std::erase(fds_, fd);
  }

 private:
  static int listen_anywhere() {
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    const sockaddr_un address{AF_UNIX, {}};
    REQUIRE(bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address.sun_family) == 0);
    REQUIRE(listen(fd, 100) == 0);
    return fd;
  }

  FakeClock clock_;
  const int listener_ = listen_anywhere();
  std::vector<int> fds_;

 public:
  FakeClock& clock = clock_;
  int held_up = 0;  // how often the gate said so
  PeerGate gate;
};

}  // namespace syncrelay
