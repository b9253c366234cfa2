#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "syncrelay/base/bytes.h"
#include "syncrelay/protocol/close_cause.h"

namespace syncrelay {

// A session's way to its peer: bytes that are whole WebSocket frames. Its shard's thread only. An
// interface because sessions are tested without a network.
class Transport {
 public:
  virtual ~Transport() = default;

  // Of the front: what write() touches as long as the connection takes all.
  static constexpr std::size_t kVisitedBytes = 48;

  // Offers `frames` (whole frames) to the connection, which takes as many bytes as it can without
  // waiting and copying; returns how many.
  virtual std::size_t write(ByteSpan frames) = 0;

  // Hands over the rest of a frame that write() took in part. It is copied and goes out before
  // anything else, so that a pong or close frame of the transport's own cannot land inside. Never
  // refused.
  virtual void finish_frame(ByteSpan rest) = 0;

  // Asks for one call of Session::writable() once all that was taken has left and write() can take
  // more.
  virtual void request_writable() = 0;

  // How far the peer has taken what was sent on this connection, whoever sent it.
  struct Delivery {
    std::uint64_t acknowledged = 0;  // bytes; only ever grows. For comparing with an earlier look
    bool pending = false;            // there is more that is not acknowledged yet
  };
  virtual Delivery delivery() const = 0;

  // The peer's, for people; valid as long as the transport.
  virtual std::string_view address() const { return "unknown"; }

  // Begins to end the connection for this cause. Returns at once; Shard::remove() follows later.
  virtual void close(CloseCause cause) = 0;
};

}  // namespace syncrelay
