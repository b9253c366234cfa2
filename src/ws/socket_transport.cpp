#include "socket_transport.h"

#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <cerrno>
#include <iterator>

namespace syncrelay {

// Straight to the socket. An error shows as an event on the socket, where libwebsockets ends the
// connection.
std::size_t SocketTransport::write(ByteSpan frames) {
  if (!outgoing_.empty()) return write_behind(frames);
  const ssize_t sent = ::send(socket_, frames.data(), frames.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  return sent > 0 ? static_cast<std::size_t>(sent) : 0;
}

// The same behind what waits to go before.
std::size_t SocketTransport::write_behind(ByteSpan frames) {
  iovec parts[] = {{outgoing_.data(), outgoing_.size()},
                   {const_cast<std::byte*>(frames.data()), frames.size()}};
  msghdr message{};
  message.msg_iov = parts;
  message.msg_iovlen = std::size(parts);
  const ssize_t result = sendmsg(socket_, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
  if (result <= 0) return 0;
  const auto sent = static_cast<std::size_t>(result);
  const std::size_t before = std::min(sent, outgoing_.size());
  drop_sent(before);
  return sent - before;
}

// Lets go of the memory with the last byte.
void SocketTransport::drop_sent(std::size_t bytes) {
  outgoing_.erase(0, bytes);
  if (outgoing_.empty() && outgoing_.capacity() > std::string().capacity())
    std::string().swap(outgoing_);
}

void SocketTransport::finish_frame(ByteSpan rest) {
  outgoing_ += as_text(rest);
}

Transport::Delivery SocketTransport::delivery() const {
  tcp_info tcp{};
  socklen_t size = sizeof tcp;
  if (getsockopt(socket_, IPPROTO_TCP, TCP_INFO, &tcp, &size) != 0) return {};
  const bool in_kernel = tcp.tcpi_unacked > 0 || tcp.tcpi_notsent_bytes > 0;
  return {tcp.tcpi_bytes_acked, in_kernel || !outgoing_.empty()};
}

bool SocketTransport::send_waiting() {
  if (outgoing_.empty()) return true;
  const ssize_t sent =
      ::send(socket_, outgoing_.data(), outgoing_.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  if (sent < 0 && errno != EAGAIN && errno != EINTR) return false;
  drop_sent(static_cast<std::size_t>(std::max<ssize_t>(sent, 0)));
  return true;
}

}  // namespace syncrelay
