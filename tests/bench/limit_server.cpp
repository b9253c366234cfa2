#include "limit_server.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <stdexcept>
#include <string_view>
#include <system_error>
#include <utility>

namespace syncrelay::bench {
namespace {

constexpr std::uint64_t kListenerKey = UINT64_MAX;
constexpr std::uint64_t kCommandsKey = UINT64_MAX - 1;

// New events are taken in every so many clients, so that the later ones get them in the same send.
constexpr std::size_t kClientsPerIntake = 16;
constexpr int kPasses = 4;     // over all clients, before accepts and reads have their turn
constexpr int kIntake = 1024;  // commands taken in at once

constexpr std::string_view kCommandHead = R"({"op":"broadcast","type":"bench","data":)";

// The answer to RFC 6455's sample key, which is the one that the load client sends.
constexpr std::string_view kSwitching =
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

void check(int result, const char* what) {
  if (result < 0) throw std::system_error(errno, std::generic_category(), what);
}

// Accepted sockets inherit the options, which spares two system calls per client.
int listen_on(std::uint16_t port, int send_buffer) {
  int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  check(fd, "socket");
  int on = 1;
  check(::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on), "TCP_NODELAY");
  check(::setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &send_buffer, sizeof send_buffer), "SO_SNDBUF");
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  check(::bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address), "bind");
  check(::listen(fd, SOMAXCONN), "listen");
  return fd;
}

std::uint16_t port_of(int fd) {
  sockaddr_in address{};
  socklen_t size = sizeof address;
  check(::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size), "getsockname");
  return ntohs(address.sin_port);
}

void watch(int epoll, int fd, std::uint64_t key, std::uint32_t events) {
  epoll_event interest{.events = events, .data = {.u64 = key}};
  check(::epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &interest), "epoll_ctl");
}

}  // namespace

LimitServer::LimitServer(const LimitOptions& options)
    : options_(options),
      ring_(options.log_bytes),
      commands_(context_, zmq::socket_type::pull),
      epoll_(::epoll_create1(EPOLL_CLOEXEC)),
      listener_(listen_on(options.port, options.send_buffer)),
      port_(port_of(listener_)) {
  check(epoll_, "epoll_create1");
  commands_.bind(options.commands);
  watch(epoll_, listener_, kListenerKey, EPOLLIN);
  watch(epoll_, commands_.get(zmq::sockopt::fd), kCommandsKey, EPOLLIN | EPOLLET);
}

void LimitServer::run() {
  for (;;) {
    wait();
    if (options_.mode == SendMode::coalescing) {
      fan_out_pending();
    } else {
      fan_out_each_event();
    }
  }
}

void LimitServer::wait() {
  std::array<epoll_event, 256> events;
  int count = ::epoll_wait(epoll_, events.data(), events.size(), more_ ? 0 : -1);
  if (count < 0 && errno != EINTR) check(count, "epoll_wait");
  more_ = false;
  for (int i = 0; i < count; ++i) {
    const epoll_event& event = events[static_cast<std::size_t>(i)];
    handle(event.data.u64, event.events);
  }
}

void LimitServer::handle(std::uint64_t key, std::uint32_t events) {
  if (key == kListenerKey) return accept_clients();
  if (key == kCommandsKey) return;  // every turn looks for commands
  Client& client = clients_[place_of_fd_[key]];
  if ((events & EPOLLOUT) != 0 && client.blocked) {
    client.blocked = false;
    unblocked_ = true;
  }
  if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0) read(client);
}

void LimitServer::accept_clients() {
  for (;;) {
    int fd = ::accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) return;
    auto key = static_cast<std::size_t>(fd);
    if (place_of_fd_.size() <= key) place_of_fd_.resize(2 * key + 1);
    place_of_fd_[key] = clients_.size();
    clients_.push_back({.fd = fd});
    watch(epoll_, fd, key, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET);
  }
}

void LimitServer::read(Client& client) {
  std::array<char, 4096> buffer;
  for (;;) {
    ssize_t size = ::recv(client.fd, buffer.data(), buffer.size(), 0);
    if (size < 0 && errno == EAGAIN) return;
    if (size <= 0) return close(client);
    std::string_view bytes(buffer.data(), static_cast<std::size_t>(size));
    if (!client.open && !bytes.ends_with("\r\n\r\n")) return close(client);
    if (!client.open) greet(client);
  }
}

void LimitServer::greet(Client& client) {
  client.open = true;
  client.cursor = client.frame_end = ring_.end();
  std::string snapshot = R"({"type":"sync:full","data":{"comparison":null,"radio":null},"seq":)" +
                         std::to_string(ring_.seq()) + '}';
  std::string message(kSwitching);
  message += '\x81';
  message += static_cast<char>(snapshot.size());
  message += snapshot;
  ssize_t sent = ::send(client.fd, message.data(), message.size(), MSG_NOSIGNAL);
  if (sent != static_cast<ssize_t>(message.size())) client.open = false;
}

void LimitServer::close(Client& client) {
  ::close(client.fd);
  std::size_t place = place_of_fd_[static_cast<std::size_t>(client.fd)];
  if (&client != &clients_.back()) {
    clients_[place] = clients_.back();
    place_of_fd_[static_cast<std::size_t>(clients_[place].fd)] = place;
  }
  clients_.pop_back();
}

bool LimitServer::take_one() {
  if (!commands_.recv(command_, zmq::recv_flags::dontwait)) return false;
  std::string_view text = command_.to_string_view();
  if (text.size() <= kCommandHead.size()) throw std::runtime_error("a command that is too short");
  text.remove_prefix(kCommandHead.size());
  text.remove_suffix(1);
  ring_.append(text);
  return true;
}

void LimitServer::take_pending() {
  for (int taken = 0; take_one();) {
    if (++taken == kIntake) {
      more_ = true;
      return;
    }
  }
}

void LimitServer::fan_out_each_event() {
  if (std::exchange(unblocked_, false)) {
    for (Client& client : clients_) send_frames(client);
  }
  for (int taken = 0; take_one();) {
    for (Client& client : clients_) send_frames(client);
    if (++taken == kIntake) {
      more_ = true;
      return;
    }
  }
}

void LimitServer::fan_out_pending() {
  for (int pass = 0; pass < kPasses; ++pass) {
    take_pending();
    if (ring_.end() == served_ && !std::exchange(unblocked_, false)) return;
    std::uint64_t end = ring_.end();
    if (!send_pending_to_all()) served_ = end;
  }
  more_ = true;
}

// Whether there was anything to try.
bool LimitServer::send_pending_to_all() {
  bool tried = false;
  for (std::size_t i = 0; i < clients_.size(); ++i) {
    if (i % kClientsPerIntake == 0) take_pending();
    tried |= send_pending(clients_[i]);
  }
  return tried;
}

// Whether there was anything to try.
bool LimitServer::send_pending(Client& client) {
  if (!client.open || client.blocked || client.cursor == ring_.end()) return false;
  send_to(client, ring_.end());
  return true;
}

void LimitServer::send_frames(Client& client) {
  if (!client.open) return;
  while (!client.blocked && client.cursor != ring_.end()) {
    if (client.cursor == client.frame_end) client.frame_end = ring_.frame_end(client.cursor);
    if (!send_to(client, client.frame_end)) return;
  }
}

// Whether all went out. A client that lags beyond the ring, or is gone, is shut down; read() ends
// it.
bool LimitServer::send_to(Client& client, std::uint64_t end) {
  ssize_t sent = -1;
  if (client.cursor >= ring_.begin()) {
    std::string_view bytes = ring_.bytes(client.cursor, end);
    sent = ::send(client.fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EAGAIN) sent = 0;
  }
  if (sent < 0) {
    client.open = false;
    ::shutdown(client.fd, SHUT_RDWR);
    return false;
  }
  client.cursor += static_cast<std::uint64_t>(sent);
  client.blocked = client.cursor != end;
  return !client.blocked;
}

}  // namespace syncrelay::bench
