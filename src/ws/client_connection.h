#pragma once

#include <libwebsockets.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "syncrelay/base/utf8.h"
#include "syncrelay/shard/session.h"
#include "syncrelay/shard/transport.h"

namespace syncrelay {

// A client's connection from the moment its upgrade is granted: the transport of its session, and
// what is known of its end. Owned by the libwebsockets connection (as its opaque user data). Its
// shard's thread only.
class ClientConnection final : public Transport {
 public:
  ClientConnection(lws* wsi, ClientRequest request, std::string address);

  std::size_t write(ByteSpan frames) override;
  void finish_frame(ByteSpan rest) override;
  void request_writable() override;
  std::size_t unacknowledged() const override;
  void close(CloseCause cause) override;

  // How libwebsockets is told to send the close frame of `cause`: call it, then return -1 from the
  // callback.
  void set_close_frame(CloseCause cause);

  // Takes in what arrived of a message, for its size and its encoding only; why the connection has
  // to end, if it has to.
  std::optional<CloseCause> check_message(std::string_view arrived, std::uint64_t max_bytes);

  const ClientRequest& request() const { return request_; }
  std::string_view address() const override { return address_; }

  Session* session = nullptr;                // between ESTABLISHED and CLOSED
  std::optional<CloseCause> ended_by;        // decided by the relay
  std::optional<std::uint16_t> client_code;  // the client sent a close frame with this code

 private:
  int fd() const { return lws_get_socket_fd(wsi_); }

  lws* const wsi_;
  const ClientRequest request_;
  const std::string address_;
  std::uint64_t message_bytes_ = 0;  // of the message that is arriving
  Utf8Check message_text_;           // of the same
};

}  // namespace syncrelay
