#pragma once

#include <sys/types.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>
#include <zmq.hpp>

#include "syncrelay/ipc/peer_gate.h"

namespace syncrelay {

// The frames in front of a request's body: the peer's identity, and whatever the peer put there to
// recognise the answer by (a REQ socket an empty frame). They come back with the answer.
using Frames = std::vector<zmq::message_t>;

// To whom an answer goes.
struct Envelope {
  Frames frames;             // a peer of the socket
  std::uint64_t errand = 0;  // or, when it is not 0, the HTTP door: see Errands
};

// A ROUTER socket for DEALER and REQ peers; who makes it binds it. Relay thread only, once bound.
class ControlSocket {
 public:
  ControlSocket(zmq::context_t& context, std::int64_t max_message, PeerGate& gate);

  // Takes one request, if there is one. A request with too many or too large frames before its body
  // is dropped: it is not clear to whom to answer.
  bool receive(Frames& frames, zmq::message_t& body);

  // Requests dropped so since the last call.
  std::uint64_t take_dropped() { return std::exchange(dropped_, 0); }

  // Whether there is room for an answer of this size: always when nobody has one
  // unread, and else as long as those do not hold too much memory, of this peer and of all.
  bool has_room(const Frames& frames, std::size_t answer_bytes);

  // False when the answer was dropped: the peer is gone, or leaves a great number unread.
  bool answer(Frames frames, std::string body);

  // By what connection a request came, as the kernel tells connections apart.
  struct Connection {
    int descriptor = -1;  // -1: it is not known
    ino_t inode = 0;
  };
  static Connection connection_of(int descriptor);
  // -1: it is not known. Of the body: the frame with the identity does not always tell.
  static int descriptor_of(zmq::message_t& body) { return zmq_msg_get(body.handle(), ZMQ_SRCFD); }
  // Whether it has ended by now, or its peer has hung up: the kernel knows before ZeroMQ's thread
  // does, to which an answer can be given until then, and is lost. False where it is not known.
  static bool is_gone(const Connection& connection);

  zmq::socket_t& socket() { return socket_; }
  std::string endpoint() const { return socket_.get(zmq::sockopt::last_endpoint); }

 private:
  // Of large answers that ZeroMQ holds for one peer; its threads let go of them.
  using UnreadBytes = std::shared_ptr<std::atomic<std::size_t>>;

  bool send_frames(Frames& frames);
  bool answer_large(Frames frames, std::string body);
  UnreadBytes unread_of(const zmq::message_t& identity);

  zmq::socket_t socket_;
  PeerGate& gate_;
  std::uint64_t dropped_ = 0;
  UnreadBytes all_unread_ = std::make_shared<std::atomic<std::size_t>>(0);
  std::map<std::string, UnreadBytes> unread_;  // by identity; only peers with large answers
};

}  // namespace syncrelay
