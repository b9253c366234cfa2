#include "syncrelay/ws/acceptor.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>

#include "syncrelay/base/ip_address.h"

namespace syncrelay {
namespace {

constexpr int kAcceptsPerTurn = 64;
constexpr Duration kWarningInterval = std::chrono::seconds(1);

Descriptor open_reserve() {
  return Descriptor(open("/dev/null", O_RDONLY | O_CLOEXEC));
}

// Without the port, and IPv4 as such where the socket is one of IPv6; "unknown" for what is no IP
// address.
std::string text_of(const sockaddr_storage& address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  const void* ip =
      address.ss_family == AF_INET6
          ? static_cast<const void*>(&reinterpret_cast<const sockaddr_in6&>(address).sin6_addr)
          : &reinterpret_cast<const sockaddr_in&>(address).sin_addr;
  if (inet_ntop(address.ss_family, ip, text.data(), text.size()) == nullptr) return "unknown";
  const auto parsed = IpAddress::parse(text.data());
  return parsed ? parsed->text() : text.data();
}

}  // namespace

Acceptor::Acceptor(const Settings& settings, std::vector<const Listener*> clients,
                   std::vector<const Listener*> admin, std::vector<ShardLoop*> loops, Door door,
                   Status& status, const Clock& clock, const Log& log)
    : settings_(settings),
      loops_(std::move(loops)),
      door_(std::move(door)),
      status_(status),
      clock_(clock),
      log_(log),
      stop_event_(eventfd(0, EFD_CLOEXEC)),
      reserve_(open_reserve()) {
  for (const Listener* listener : clients) sources_.push_back({listener->fd(), false});
  for (const Listener* listener : admin) sources_.push_back({listener->fd(), true});
}

void Acceptor::start() {
  thread_ = std::thread([this] { run(); });
}

void Acceptor::stop() {
  if (!thread_.joinable()) return;
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = write(stop_event_.get(), &one, sizeof one);
  thread_.join();
}

void Acceptor::run() {
  std::vector<pollfd> watched = {{stop_event_.get(), POLLIN, 0}};
  for (const Source& source : sources_) watched.push_back({source.fd, POLLIN, 0});
  while ((watched[0].revents & POLLIN) == 0) {
    if (poll(watched.data(), watched.size(), -1) < 0) continue;
    for (std::size_t index = 1; index < watched.size(); ++index) {
      if (watched[index].revents != 0) accept_some(sources_[index - 1]);
    }
  }
}

void Acceptor::accept_some(const Source& source) {
  for (int count = 0; count < kAcceptsPerTurn; ++count) {
    sockaddr_storage address{};
    socklen_t size = sizeof address;
    Descriptor fd(accept4(source.fd, reinterpret_cast<sockaddr*>(&address), &size,
                          SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (fd && fd.get() >= static_cast<int>(settings_.descriptors)) {
      turn_away(fd);
    } else if (fd) {
      hand_over(std::move(fd), source.admin, text_of(address));
    } else if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS) {
      return turn_away_next(source);
    } else if (errno != ECONNABORTED && errno != EINTR) {
      return;
    }
  }
}

void Acceptor::hand_over(Descriptor fd, bool admin, std::string address) {
  const int on = 1;
  const int send_buffer = static_cast<int>(settings_.send_buffer);
  setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  setsockopt(fd.get(), SOL_SOCKET, SO_SNDBUF, &send_buffer, sizeof send_buffer);
  if (admin) return door_(std::move(fd), std::move(address));
  least_loaded().adopt(std::move(fd), std::move(address));
}

// Takes one connection off the queue, so that its peer learns at once and poll() does not spin.
void Acceptor::turn_away_next(const Source& source) {
  reserve_.reset();
  if (const Descriptor fd(accept4(source.fd, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC)); fd)
    turn_away(fd);
  reserve_ = open_reserve();
}

void Acceptor::turn_away(const Descriptor& fd) {
  static constexpr char kAnswer[] =
      "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 5\r\nContent-Length: 0\r\nConnection: "
      "close\r\n\r\n";
  [[maybe_unused]] const ssize_t sent =
      send(fd.get(), kAnswer, sizeof kAnswer - 1, MSG_DONTWAIT | MSG_NOSIGNAL);
  status_.refused_sockets.add();
  const TimePoint now = clock_.now();
  if (now < next_warning_) return;
  next_warning_ = now + kWarningInterval;
  log_.warning("connections turned away",
               {{"why", "no file descriptor is left"}, {"total", status_.refused_sockets.get()}});
}

ShardLoop& Acceptor::least_loaded() const {
  const auto fewer = [](const ShardLoop* left, const ShardLoop* right) {
    return left->connections() < right->connections();
  };
  return **std::min_element(loops_.begin(), loops_.end(), fewer);
}

}  // namespace syncrelay
