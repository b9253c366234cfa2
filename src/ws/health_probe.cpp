#include "syncrelay/ws/health_probe.h"

#include <netdb.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <string_view>

#include "syncrelay/base/descriptor.h"
#include "syncrelay/tls/tls_exchange.h"
#include "syncrelay/ws/pages.h"

namespace syncrelay {
namespace {

constexpr timeval kTimeout = {2, 0};
constexpr std::size_t kMaxAnswer = 4096;  // bytes

// A listening address that stands for all of the host's is asked on loopback.
std::string reachable(const std::string& host) {
  if (host == "0.0.0.0") return "127.0.0.1";
  return host == "::" ? "::1" : host;
}

// A connected socket, or -1 with errno.
int connect_to(const addrinfo& address) {
  const int fd = socket(address.ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return -1;
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &kTimeout, sizeof kTimeout);
  setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &kTimeout, sizeof kTimeout);
  if (connect(fd, address.ai_addr, address.ai_addrlen) == 0) return fd;
  const int error = errno;
  close(fd);
  errno = error;
  return -1;
}

std::string ask_plain(int fd, std::string_view request) {
  if (send(fd, request.data(), request.size(), MSG_NOSIGNAL) < 0) return {};
  std::string answer;
  std::array<char, 1024> bytes;
  while (answer.size() < kMaxAnswer) {
    const ssize_t size = recv(fd, bytes.data(), bytes.size(), 0);
    if (size <= 0) break;
    answer.append(bytes.data(), static_cast<std::size_t>(size));
  }
  return answer;
}

Result<std::string, NoTlsAnswer> ask(int fd, const std::string& host, bool tls) {
  const std::string request =
      "GET /health HTTP/1.1\r\nHost: " + host + "\r\nConnection: close\r\n\r\n";
  if (tls) return tls_exchange(fd, request, kMaxAnswer);
  return ask_plain(fd, request);
}

}  // namespace

Result<void, std::string> probe_health(const std::string& host, std::uint16_t port, bool tls) {
  const std::string target = reachable(host);
  const std::string place = target + " port " + std::to_string(port);
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (const int error = getaddrinfo(target.c_str(), std::to_string(port).c_str(), &hints, &found);
      error != 0) {
    return "cannot look up " + place + ": " + gai_strerror(error);
  }
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owner(found, &freeaddrinfo);
  const Descriptor socket(connect_to(*found));
  if (!socket) return "cannot connect to " + place + ": " + std::strerror(errno);
  const auto asked = ask(socket.get(), target, tls);
  if (!asked) return "no answer from " + place + ": " + asked.error().why;
  const std::string& answer = asked.value();
  if (answer.compare(0, 12, "HTTP/1.1 200") == 0) return {};
  if (answer.empty()) return "no answer from " + place + " within two seconds";
  if (!tls && answer.find(kTlsAdvice) != std::string::npos) return probe_health(host, port, true);
  return "the relay at " + place + " answers " + answer.substr(0, answer.find('\r'));
}

}  // namespace syncrelay
