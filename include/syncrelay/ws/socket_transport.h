#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <utility>

#include "syncrelay/shard/transport.h"
#include "syncrelay/tls/tls_stream.h"

namespace syncrelay {

// The sending half of a connection: straight to its socket or its TLS, and what that did not take
// yet. What each event touches of a connection lies here, at its beginning. Its shard's thread
// only.
//
// Invariant: what waits to be sent ends at a frame's end, and what is sent while nothing waits,
// too; a pong or close frame may go out then.
class SocketTransport : public Transport {
 public:
  std::size_t write(ByteSpan frames) override;
  void finish_frame(ByteSpan rest) override;
  Delivery delivery() const override;

 protected:
  // Who opened it closes it, later. `tls`: null for a connection without.
  void send_to(int socket, std::unique_ptr<TlsStream> tls) {
    socket_ = socket;
    tls_ = std::move(tls);
  }
  // What is sent from here on goes as it is.
  void drop_tls() { tls_.reset(); }
  int socket() const { return socket_; }
  TlsStream* tls() const { return tls_.get(); }

  // Nothing waits to be sent.
  bool all_sent() const { return !outgoing_ && (!tls_ || tls_->all_sent()); }
  // Sends what the socket takes of it. False: the connection is lost.
  bool send_waiting();

 private:
  std::size_t write_behind(ByteSpan frames);
  std::size_t write_encrypted(ByteSpan frames);
  std::size_t write_joined(ByteSpan frames);
  void drop_sent(std::size_t bytes);

  int socket_ = -1;
  std::unique_ptr<std::string> outgoing_;  // taken but not sent yet; null, as it mostly is: nothing
  std::unique_ptr<TlsStream> tls_;         // null: plain
};

static_assert(sizeof(SocketTransport) <= Transport::kVisitedBytes);

}  // namespace syncrelay
