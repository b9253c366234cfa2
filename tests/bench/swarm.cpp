#include "swarm.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <stdexcept>
#include <system_error>

#include "clock.h"

namespace syncrelay::bench {
namespace {

// Handshakes under way at once: below every server's accept backlog, so that no SYN is dropped
// (which would measure the kernel's one second retry).
constexpr std::size_t kOpening = 100;
constexpr std::size_t kReadSize = 256 * 1024;
constexpr std::int64_t kConnectTimeout = 120 * kSecond;
constexpr std::size_t kMaxHead = 8192;
constexpr std::size_t kClientsPerAddress = 4000;

// RFC 6455's sample key: the yardstick answers with its sample answer.
std::string request(const std::string& query, bool deflate) {
  return "GET /ws/sync" + query +
         " HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
         "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n" +
         (deflate ? "Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n" : "\r\n");
}

[[noreturn]] void fail(const char* what) {
  throw std::system_error(errno, std::generic_category(), what);
}

sockaddr_in loopback(std::uint32_t host, std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK + host);
  return address;
}

// Clients come from several loopback addresses, 127.0.1.0 and up: with one address for all, the
// kernel's search for a free port would slow down with every client, and could fail.
void bind_source(int fd, std::size_t client) {
  int on = 1;
  ::setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
  auto host = static_cast<std::uint32_t>(255 + client / kClientsPerAddress);
  sockaddr_in source = loopback(host, 0);
  if (::bind(fd, reinterpret_cast<sockaddr*>(&source), sizeof source) < 0) fail("a client's bind");
}

int connect_to(std::uint16_t port, std::size_t client) {
  int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) fail("a client's socket");
  bind_source(fd, client);
  sockaddr_in address = loopback(0, port);
  if (::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) < 0) {
    ::close(fd);
    fail("a client's connect");
  }
  // Close by reset: thousands of ports in TIME_WAIT would end the next run.
  linger reset{.l_onoff = 1, .l_linger = 0};
  ::setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
  ::fcntl(fd, F_SETFL, O_NONBLOCK);
  return fd;
}

}  // namespace

Swarm::Swarm(std::uint16_t port, unsigned greetings, Manner manner, QueryOf query_of)
    : port_(port),
      greetings_(greetings),
      query_of_(std::move(query_of)),
      deflate_(manner.deflate),
      tls_(manner.tls ? std::make_unique<TlsClients>() : nullptr),
      epoll_(::epoll_create1(EPOLL_CLOEXEC)),
      buffer_(kReadSize) {
  if (epoll_ < 0) fail("epoll_create1");
}

Swarm::~Swarm() {
  for (const Client& client : clients_) ::close(client.fd);
  ::close(epoll_);
}

std::int64_t Swarm::connect(std::size_t count) {
  std::int64_t start = now_ns();
  clients_.reserve(count);
  while (ready_ < count) {
    while (clients_.size() < count && clients_.size() - ready_ < kOpening) open_client();
    poll(start + kConnectTimeout);
    if (now_ns() > start + kConnectTimeout) {
      throw std::runtime_error("only " + std::to_string(ready_) + " of " + std::to_string(count) +
                               " clients were connected and greeted in time");
    }
  }
  return now_ns() - start;
}

std::int64_t Swarm::read_until(std::uint64_t messages, std::int64_t deadline_ns) {
  target_ = messages;
  behind_ = static_cast<std::size_t>(std::count_if(
      clients_.begin(), clients_.end(), [&](const Client& c) { return c.messages < messages; }));
  while (behind_ > 0) {
    poll(deadline_ns);
    if (behind_ > 0 && now_ns() > deadline_ns) give_up(messages);
  }
  return read_at_;
}

void Swarm::open_client() {
  int fd = connect_to(port_, clients_.size());
  epoll_event interest{.events = EPOLLIN, .data = {.u64 = clients_.size()}};
  clients_.push_back(
      {.fd = fd, .tls = {}, .greetings_left = greetings_, .head = {}, .frames = {}, .messages = 0});
  const std::string text = request(query_of_ ? query_of_(clients_.size() - 1) : "", deflate_);
  if (tls_) {
    clients_.back().tls = std::make_unique<TlsClient>(tls_->context(), fd, text);
  } else if (::send(fd, text.data(), text.size(), MSG_NOSIGNAL) < 0) {
    fail("a client's handshake");
  }
  if (::epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &interest) < 0) fail("epoll_ctl");
}

void Swarm::poll(std::int64_t deadline_ns) {
  std::array<epoll_event, 256> events;
  auto left_ms = std::clamp<std::int64_t>((deadline_ns - now_ns()) / 1'000'000 + 1, 0, 1000);
  int count = ::epoll_wait(epoll_, events.data(), events.size(), static_cast<int>(left_ms));
  if (count < 0 && errno != EINTR) fail("epoll_wait");
  for (int i = 0; i < count; ++i) read(clients_[events[static_cast<std::size_t>(i)].data.u64]);
}

// With TLS until nothing is left: what it holds itself the socket does not show.
void Swarm::read(Client& client) {
  while (read_some(client) && client.tls) {
  }
}

bool Swarm::read_some(Client& client) {
  ssize_t size = client.tls ? client.tls->receive(buffer_.data(), buffer_.size())
                            : ::recv(client.fd, buffer_.data(), buffer_.size(), 0);
  if (size < 0 && (errno == EAGAIN || errno == EINTR)) return false;
  if (size < 0) fail("a client's read");
  if (size == 0) throw std::runtime_error("the server closed a client");
  read_at_ = now_ns();
  bytes_ += static_cast<std::uint64_t>(size);
  std::string_view bytes(buffer_.data(), static_cast<std::size_t>(size));
  if (!client.upgraded) bytes = upgrade(client, bytes);
  std::uint64_t messages = client.frames.feed(bytes.data(), bytes.data() + bytes.size());
  if (messages > 0) count(client, messages);
  if (client.frames.has_ping()) answer_ping(client);
  return true;
}

// Takes the HTTP response off the front; returns the bytes behind it.
std::string_view Swarm::upgrade(Client& client, std::string_view bytes) {
  std::size_t before = client.head.size();
  client.head += bytes;
  std::size_t end = client.head.find("\r\n\r\n");
  if (end == std::string::npos) {
    if (client.head.size() > kMaxHead) throw std::runtime_error("a handshake answer without end");
    return {};
  }
  if (!client.head.starts_with("HTTP/1.1 101")) {
    throw std::runtime_error("handshake refused: " + client.head.substr(0, client.head.find('\r')));
  }
  client.upgraded = true;
  if (greetings_ == 0) ++ready_;
  client.head = {};
  return bytes.substr(end + 4 - before);
}

void Swarm::count(Client& client, std::uint64_t messages) {
  if (client.greetings_left > 0) {
    auto greetings = std::min<std::uint64_t>(messages, client.greetings_left);
    client.greetings_left -= static_cast<unsigned>(greetings);
    if (client.greetings_left == 0) ++ready_;
    messages -= greetings;
    if (messages == 0) return;
  }
  if (on_arrival_) on_arrival_({client.messages, messages, read_at_});
  bool was_behind = client.messages < target_;
  client.messages += messages;
  if (client.messages > target_) {
    throw std::runtime_error("a client got more messages than were published");
  }
  if (was_behind && client.messages >= target_) --behind_;
}

void Swarm::answer_ping(Client& client) {
  std::string payload = client.frames.take_ping();
  std::string pong{'\x8a', static_cast<char>(0x80 | payload.size()), 0, 0, 0, 0};  // mask 0
  pong += payload;
  const ssize_t sent = client.tls ? client.tls->send(pong.data(), pong.size())
                                  : ::send(client.fd, pong.data(), pong.size(), MSG_NOSIGNAL);
  if (sent < 0) fail("a client's pong");
}

void Swarm::give_up(std::uint64_t messages) const {
  auto least = std::min_element(clients_.begin(), clients_.end(), [](const auto& a, const auto& b) {
    return a.messages < b.messages;
  });
  throw std::runtime_error(std::to_string(behind_) + " of " + std::to_string(clients_.size()) +
                           " clients did not get all " + std::to_string(messages) +
                           " messages in time; the last one has " +
                           std::to_string(least->messages));
}

}  // namespace syncrelay::bench
