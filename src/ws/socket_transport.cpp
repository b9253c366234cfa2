#include "syncrelay/ws/socket_transport.h"

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
  if (tls_) return write_encrypted(frames);
  if (outgoing_) return write_behind(frames);
  const ssize_t sent = ::send(socket_, frames.data(), frames.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  return sent > 0 ? static_cast<std::size_t>(sent) : 0;
}

// The same behind what waits to go before.
std::size_t SocketTransport::write_behind(ByteSpan frames) {
  iovec parts[] = {{outgoing_->data(), outgoing_->size()},
                   {const_cast<std::byte*>(frames.data()), frames.size()}};
  msghdr message{};
  message.msg_iov = parts;
  message.msg_iovlen = std::size(parts);
  const ssize_t result = sendmsg(socket_, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
  if (result <= 0) return 0;
  const auto sent = static_cast<std::size_t>(result);
  const std::size_t before = std::min(sent, outgoing_->size());
  drop_sent(before);
  return sent - before;
}

// Of a record that the socket takes in part TLS keeps the rest, which has to be asked for.
std::size_t SocketTransport::write_encrypted(ByteSpan frames) {
  const std::size_t joined = outgoing_ ? write_joined(frames) : 0;
  const std::size_t taken = outgoing_ ? joined : joined + tls_->write(frames.subspan(joined));
  if (!tls_->all_sent()) request_writable();
  return taken;
}

// Sends what waits to go before, with as much of `frames` as its record has room for.
std::size_t SocketTransport::write_joined(ByteSpan frames) {
  if (!tls_->flush() || !tls_->all_sent()) return 0;
  const std::size_t waiting = std::min(outgoing_->size(), TlsStream::kRecordBytes);
  const std::size_t joined = std::min(frames.size(), TlsStream::kRecordBytes - waiting);
  outgoing_->append(as_text(frames.first(joined)));
  drop_sent(tls_->write(as_bytes(*outgoing_)));
  return joined;
}

// Lets go of the memory with the last byte.
void SocketTransport::drop_sent(std::size_t bytes) {
  outgoing_->erase(0, bytes);
  if (outgoing_->empty()) outgoing_.reset();
}

void SocketTransport::finish_frame(ByteSpan rest) {
  if (rest.empty()) return;
  if (!outgoing_) outgoing_ = std::make_unique<std::string>();
  *outgoing_ += as_text(rest);
}

Transport::Delivery SocketTransport::delivery() const {
  tcp_info tcp{};
  socklen_t size = sizeof tcp;
  if (getsockopt(socket_, IPPROTO_TCP, TCP_INFO, &tcp, &size) != 0) return {};
  const bool in_kernel = tcp.tcpi_unacked > 0 || tcp.tcpi_notsent_bytes > 0;
  return {tcp.tcpi_bytes_acked, in_kernel || !all_sent()};
}

bool SocketTransport::send_waiting() {
  if (tls_ && !tls_->flush()) return false;
  if (!outgoing_) return true;
  if (tls_) {
    drop_sent(tls_->write(as_bytes(*outgoing_)));
    return true;
  }
  const ssize_t sent =
      ::send(socket_, outgoing_->data(), outgoing_->size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  if (sent < 0 && errno != EAGAIN && errno != EINTR) return false;
  drop_sent(static_cast<std::size_t>(std::max<ssize_t>(sent, 0)));
  return true;
}

}  // namespace syncrelay
