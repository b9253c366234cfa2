#pragma once

#include <cstddef>
#include <string>

#include "syncrelay/shard/transport.h"

namespace syncrelay {

// The sending half of a connection: straight to its socket, and what that did not take yet. What
// each event touches of a connection lies here, at its beginning. Its shard's thread only.
//
// Invariant: what waits to be sent ends at a frame's end, and what is sent while nothing waits,
// too; a pong or close frame may go out then.
class SocketTransport : public Transport {
 public:
  std::size_t write(ByteSpan frames) override;
  void finish_frame(ByteSpan rest) override;
  Delivery delivery() const override;

 protected:
  // Who opened it closes it, later.
  void send_to(int socket) { socket_ = socket; }
  int socket() const { return socket_; }

  // Nothing waits to be sent.
  bool all_sent() const { return outgoing_.empty(); }
  // Sends what the socket takes of it. False: the connection is lost.
  bool send_waiting();

 private:
  std::size_t write_behind(ByteSpan frames);
  void drop_sent(std::size_t bytes);

  int socket_ = -1;
  std::string outgoing_;  // taken but not sent yet
};

static_assert(sizeof(SocketTransport) <= Transport::kVisitedBytes);

}  // namespace syncrelay
