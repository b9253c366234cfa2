#include "control_socket.h"

#include <poll.h>

#include <utility>

#include "inode.h"
#include "key_desk.h"

namespace syncrelay {
namespace {

constexpr std::size_t kMaxEnvelopeFrames = 1 + 8;  // ZeroMQ's own frame, and the peer's
constexpr std::size_t kMaxEnvelopeBytes = 256;     // of one frame
constexpr int kMaxUnreadAnswers = 1000;            // a peer
constexpr std::size_t kMaxSmallAnswer = 4096;      // not worth accounting for, given that number
constexpr std::size_t kMaxUnreadBytes = 16 * 1024 * 1024;     // a peer; one answer may be larger
constexpr std::size_t kMaxAllUnreadBytes = 64 * 1024 * 1024;  // all peers; one may be larger
constexpr int kLingerMilliseconds = 1000;  // for the last answers when the relay stops

// An answer on its way, counted until ZeroMQ has let go of it.
struct Payload {
  std::string body;
  std::shared_ptr<std::atomic<std::size_t>> unread_bytes;
  std::shared_ptr<std::atomic<std::size_t>> all_unread_bytes;
};

void release(void*, void* hint) {
  const std::unique_ptr<Payload> payload(static_cast<Payload*>(hint));
  payload->unread_bytes->fetch_sub(payload->body.size());
  payload->all_unread_bytes->fetch_sub(payload->body.size());
}

}  // namespace

ControlSocket::Connection ControlSocket::connection_of(int descriptor) {
  return {descriptor, inode_of(descriptor)};
}

bool ControlSocket::is_gone(const Connection& connection) {
  if (connection.inode == 0) return false;
  if (inode_of(connection.descriptor) != connection.inode) return true;
  pollfd polled{connection.descriptor, POLLRDHUP, 0};
  return poll(&polled, 1, 0) > 0;
}

ControlSocket::ControlSocket(zmq::context_t& context, std::int64_t max_message, PeerGate& gate)
    : socket_(context, zmq::socket_type::router), gate_(gate) {
  socket_.set(zmq::sockopt::maxmsgsize, max_message);
  socket_.set(zmq::sockopt::linger, kLingerMilliseconds);
  socket_.set(zmq::sockopt::sndhwm, kMaxUnreadAnswers);
  socket_.set(zmq::sockopt::router_mandatory, true);
}

bool ControlSocket::receive(Frames& frames, zmq::message_t& body) {
  frames.clear();
  bool well_formed = true;
  bool identity = true;  // ZeroMQ's own frame, which came from nobody
  while (socket_.recv(body, zmq::recv_flags::dontwait)) {
    if (!std::exchange(identity, !body.more())) gate_.took(body.size());
    if (!body.more()) {
      KeyDesk::hear(body, gate_);
      if (well_formed && !frames.empty()) return true;
      ++dropped_;
      frames.clear();
      well_formed = true;
    } else if (frames.size() < kMaxEnvelopeFrames && body.size() <= kMaxEnvelopeBytes) {
      frames.push_back(std::exchange(body, zmq::message_t()));
    } else {
      well_formed = false;
    }
  }
  return false;
}

bool ControlSocket::has_room(const Frames& frames, std::size_t answer_bytes) {
  if (answer_bytes <= kMaxSmallAnswer) return true;
  const std::size_t all = all_unread_->load();
  if (all > 0 && all + answer_bytes > kMaxAllUnreadBytes) return false;
  const std::size_t unread = unread_of(frames.front())->load();
  return unread == 0 || unread + answer_bytes <= kMaxUnreadBytes;
}

bool ControlSocket::answer(Frames frames, std::string body) {
  if (body.size() > kMaxSmallAnswer) return answer_large(std::move(frames), std::move(body));
  return send_frames(frames) &&
         socket_.send(zmq::buffer(body), zmq::send_flags::dontwait).has_value();
}

bool ControlSocket::answer_large(Frames frames, std::string body) {
  const UnreadBytes unread = unread_of(frames.front());
  if (!send_frames(frames)) return false;
  auto payload = std::make_unique<Payload>(Payload{std::move(body), unread, all_unread_});
  unread->fetch_add(payload->body.size());
  all_unread_->fetch_add(payload->body.size());
  void* const bytes = payload->body.data();
  const std::size_t size = payload->body.size();
  zmq::message_t message(bytes, size, release, payload.release());
  return socket_.send(message, zmq::send_flags::dontwait).has_value();
}

// Forgets the peers that have read all of theirs, so that the map is no larger than what ZeroMQ
// holds.
ControlSocket::UnreadBytes ControlSocket::unread_of(const zmq::message_t& identity) {
  std::erase_if(unread_, [](const auto& entry) { return entry.second->load() == 0; });
  UnreadBytes& unread = unread_[identity.to_string()];
  if (!unread) unread = std::make_shared<std::atomic<std::size_t>>(0);
  return unread;
}

// The first frame decides: a message is taken whole or not at all.
bool ControlSocket::send_frames(Frames& frames) {
  try {
    for (zmq::message_t& frame : frames) {
      if (!socket_.send(frame, zmq::send_flags::dontwait | zmq::send_flags::sndmore)) return false;
    }
  } catch (const zmq::error_t&) {
    return false;
  }
  return true;
}

}  // namespace syncrelay
