#include "client_connection.h"

#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <utility>

namespace syncrelay {
namespace {

constexpr int kCloseSeconds = 5;  // for the close frame to leave and the peer to answer it

// A peer that is gone or does not read gets no close frame.
bool ends_without_frame(CloseCause cause) {
  return info(cause).code == CloseCode::abnormal;
}

}  // namespace

ClientConnection::ClientConnection(lws* wsi, ClientRequest request, std::string address)
    : wsi_(wsi), request_(request), address_(std::move(address)) {}

// Straight to the socket, past libwebsockets, as long as that has nothing of its own waiting. An
// error shows as an event on the socket, where libwebsockets ends the connection.
std::size_t ClientConnection::write(ByteSpan frames) {
  if (ended_by || lws_partial_buffered(wsi_) != 0) return 0;
  const ssize_t sent = send(fd(), frames.data(), frames.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  return sent > 0 ? static_cast<std::size_t>(sent) : 0;
}

void ClientConnection::finish_frame(ByteSpan rest) {
  auto* bytes = const_cast<unsigned char*>(reinterpret_cast<const unsigned char*>(rest.data()));
  if (lws_write(wsi_, bytes, rest.size(), LWS_WRITE_RAW) < 0) close(CloseCause::connection_lost);
}

void ClientConnection::request_writable() {
  lws_callback_on_writable(wsi_);
}

std::size_t ClientConnection::unacknowledged() const {
  int bytes = 0;
  return ioctl(fd(), SIOCOUTQ, &bytes) == 0 && bytes > 0 ? static_cast<std::size_t>(bytes) : 0;
}

void ClientConnection::close(CloseCause cause) {
  if (ended_by) return;
  ended_by = cause;
  if (ends_without_frame(cause)) {
    lws_set_timeout(wsi_, PENDING_TIMEOUT_USER_OK, LWS_TO_KILL_ASYNC);
    return;
  }
  lws_set_timeout(wsi_, PENDING_TIMEOUT_USER_OK, kCloseSeconds);
  lws_callback_on_writable(wsi_);
}

void ClientConnection::set_close_frame(CloseCause cause) {
  ended_by = cause;
  const CloseCauseInfo& known = info(cause);
  std::string reason(known.name);
  lws_close_reason(wsi_, static_cast<lws_close_status>(known.code),
                   reinterpret_cast<unsigned char*>(reason.data()), reason.size());
}

bool ClientConnection::count_message(std::size_t arrived, std::size_t remaining, bool final,
                                     std::uint64_t limit) {
  message_bytes_ += arrived;
  if (message_bytes_ + remaining > limit) return false;
  if (final && remaining == 0) message_bytes_ = 0;
  return true;
}

}  // namespace syncrelay
