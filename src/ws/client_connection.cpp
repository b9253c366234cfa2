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

std::optional<CloseCause> ClientConnection::check_message(std::string_view arrived,
                                                          std::uint64_t max_bytes) {
  const std::size_t remaining = lws_remaining_packet_payload(wsi_);
  const bool ends = lws_is_final_fragment(wsi_) != 0 && remaining == 0;
  message_bytes_ += arrived.size();
  if (message_bytes_ + remaining > max_bytes) return CloseCause::message_too_large;
  if (lws_frame_is_binary(wsi_) == 0) {
    if (!message_text_.add(arrived) || (ends && !message_text_.complete()))
      return CloseCause::invalid_utf8;
  }
  if (ends) {
    message_bytes_ = 0;
    message_text_ = {};
  }
  return std::nullopt;
}

}  // namespace syncrelay
