#include "syncrelay/ws/acceptor.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>

namespace syncrelay {
namespace {

constexpr int kAcceptsPerTurn = 64;
constexpr Duration kWarningInterval = std::chrono::seconds(1);

int open_reserve() {
  return open("/dev/null", O_RDONLY | O_CLOEXEC);
}

}  // namespace

Acceptor::Acceptor(const Settings& settings, std::vector<Listener*> clients,
                   std::vector<Listener*> admin, std::vector<ShardLoop*> loops, Status& status,
                   const Clock& clock, const Log& log)
    : settings_(settings),
      loops_(std::move(loops)),
      status_(status),
      clock_(clock),
      log_(log),
      stop_event_(eventfd(0, EFD_CLOEXEC)),
      reserve_fd_(open_reserve()) {
  for (const Listener* listener : clients)
    sources_.push_back({listener->fd(), ListenerRole::clients});
  for (const Listener* listener : admin) sources_.push_back({listener->fd(), ListenerRole::admin});
}

Acceptor::~Acceptor() {
  stop();
  close(stop_event_);
  close(reserve_fd_);
}

void Acceptor::start() {
  thread_ = std::thread([this] { run(); });
}

void Acceptor::stop() {
  if (!thread_.joinable()) return;
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = write(stop_event_, &one, sizeof one);
  thread_.join();
}

void Acceptor::run() {
  std::vector<pollfd> watched = {{stop_event_, POLLIN, 0}};
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
    if (connections() >= settings_.max_connections)
      return turn_away(source, "every connection slot is taken");
    const int fd = accept4(source.fd, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0) {
      hand_over(fd, source.role);
    } else if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS) {
      return turn_away(source, "no file descriptor is left");
    } else if (errno != ECONNABORTED && errno != EINTR) {
      return;
    }
  }
}

void Acceptor::hand_over(int fd, ListenerRole role) {
  const int on = 1;
  const int send_buffer = static_cast<int>(settings_.send_buffer);
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &send_buffer, sizeof send_buffer);
  ShardLoop& loop = role == ListenerRole::admin ? *loops_.front() : least_loaded();
  loop.adopt({fd, role});
}

// Takes one connection off the queue and closes it, so that its peer learns at once and poll() does
// not spin.
void Acceptor::turn_away(const Source& source, const char* why) {
  static constexpr char kAnswer[] =
      "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 5\r\nContent-Length: 0\r\nConnection: "
      "close\r\n\r\n";
  close(reserve_fd_);
  const int fd = accept4(source.fd, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (fd >= 0) {
    [[maybe_unused]] const ssize_t sent =
        send(fd, kAnswer, sizeof kAnswer - 1, MSG_DONTWAIT | MSG_NOSIGNAL);
    close(fd);
    status_.refused_sockets.add();
  }
  reserve_fd_ = open_reserve();
  const TimePoint now = clock_.now();
  if (now < next_warning_) return;
  next_warning_ = now + kWarningInterval;
  log_.warning("connections turned away", {{"why", why}, {"total", status_.refused_sockets.get()}});
}

ShardLoop& Acceptor::least_loaded() const {
  const auto fewer = [](const ShardLoop* left, const ShardLoop* right) {
    return left->connections() < right->connections();
  };
  return **std::min_element(loops_.begin(), loops_.end(), fewer);
}

std::uint32_t Acceptor::connections() const {
  std::uint32_t sum = 0;
  for (const ShardLoop* loop : loops_) sum += loop->connections();
  return sum;
}

}  // namespace syncrelay
