#include "control_socket.h"

#include <utility>

namespace syncrelay {
namespace {

constexpr std::size_t kMaxEnvelopeFrames = 8;
constexpr std::size_t kMaxEnvelopeBytes = 256;  // of one frame
constexpr std::size_t kMaxUnreadBytes = 64 * 1024 * 1024;
constexpr int kMaxUnreadAnswers = 1000;    // a peer
constexpr int kLingerMilliseconds = 1000;  // for the last answers when the relay stops

// An answer on its way, counted until ZeroMQ has let go of it.
struct Payload {
  std::string body;
  std::shared_ptr<std::atomic<std::size_t>> unread_bytes;
};

void release(void*, void* hint) {
  const std::unique_ptr<Payload> payload(static_cast<Payload*>(hint));
  payload->unread_bytes->fetch_sub(payload->body.size());
}

}  // namespace

ControlSocket::ControlSocket(zmq::context_t& context, const std::string& endpoint,
                             std::int64_t max_message)
    : socket_(context, zmq::socket_type::router) {
  socket_.set(zmq::sockopt::maxmsgsize, max_message);
  socket_.set(zmq::sockopt::linger, kLingerMilliseconds);
  socket_.set(zmq::sockopt::sndhwm, kMaxUnreadAnswers);
  socket_.set(zmq::sockopt::router_mandatory, true);
  socket_.bind(endpoint);
}

bool ControlSocket::receive(Envelope& envelope, zmq::message_t& body) {
  envelope.clear();
  bool well_formed = true;
  while (socket_.recv(body, zmq::recv_flags::dontwait)) {
    if (!body.more()) {
      if (well_formed && !envelope.empty()) return true;
      envelope.clear();
      well_formed = true;
    } else if (envelope.size() < kMaxEnvelopeFrames && body.size() <= kMaxEnvelopeBytes) {
      envelope.push_back(std::exchange(body, zmq::message_t()));
    } else {
      well_formed = false;
    }
  }
  return false;
}

bool ControlSocket::answer(Envelope envelope, std::string body) {
  if (unread_bytes_->load() + body.size() > kMaxUnreadBytes) return false;
  if (!send_envelope(envelope)) return false;
  auto payload = std::make_unique<Payload>(Payload{std::move(body), unread_bytes_});
  unread_bytes_->fetch_add(payload->body.size());
  void* const bytes = payload->body.data();
  const std::size_t size = payload->body.size();
  zmq::message_t message(bytes, size, release, payload.release());
  return socket_.send(message, zmq::send_flags::dontwait).has_value();
}

// The first frame decides: a message is taken whole or not at all.
bool ControlSocket::send_envelope(Envelope& envelope) {
  try {
    for (zmq::message_t& frame : envelope) {
      if (!socket_.send(frame, zmq::send_flags::dontwait | zmq::send_flags::sndmore)) return false;
    }
  } catch (const zmq::error_t&) {
    return false;
  }
  return true;
}

}  // namespace syncrelay
