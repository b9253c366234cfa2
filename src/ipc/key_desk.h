#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>
#include <zmq.hpp>

#include "syncrelay/base/clock.h"
#include "syncrelay/base/log.h"
#include "syncrelay/ipc/peer_gate.h"
#include "syncrelay/ipc/peer_keys.h"
#include "syncrelay/metrics/stats.h"

namespace syncrelay {

// Answers ZeroMQ's question whether a peer's key may connect (ZAP, RFC 27). A peer waits for that
// in its handshake and nobody else does. Relay thread only, once built.
class KeyDesk {
 public:
  // To be made before the sockets that ask are bound, and to outlive them: where nobody can be
  // asked, ZeroMQ lets everybody in. All must outlive it.
  KeyDesk(zmq::context_t& context, const PeerKeys& keys, const Clock& clock, const Log& log);

  // Has the socket ask here. `secret_key`: the relay's, as Z85.
  static void secure(zmq::socket_t& socket, const std::string& secret_key);

  // Answers what has been asked, and tells the gate which keys are let in.
  void serve(PeerGate& gate);

  // Has the gate know by which connection the peer that sent this, a message's last frame, came.
  static void hear(const zmq::message_t& frame, PeerGate& gate);

  // To be called about once a second: counts and tells who came without a key, and ends the
  // connections of those whose key was taken out.
  void look_after(PeerGate& gate, RelayStats& stats);

  zmq::socket_t& socket() { return socket_; }

 private:
  using Frames = std::vector<zmq::message_t>;

  bool receive(Frames& frames);
  bool allows(const Frames& question, PeerGate& gate);
  void tell(std::string_view address, std::string_view key);
  void answer(const Frames& question, bool allowed);

  zmq::socket_t socket_;
  const PeerKeys& keys_;
  const Clock& clock_;
  const Log& log_;
  std::uint64_t allowed_ = 0;  // also the last one's number
  std::uint64_t refused_ = 0;
  TimePoint next_line_{};
  std::uint64_t removals_ = 0;        // of keys, that were acted upon
  std::uint64_t strangers_told_ = 0;  // who came without a key
};

}  // namespace syncrelay
