#include "key_desk.h"

#include <array>
#include <chrono>
#include <cstdlib>

namespace syncrelay {
namespace {

constexpr const char* kPlace = "inproc://zeromq.zap.01";  // where ZeroMQ asks
constexpr const char* kDomain = "syncrelay";
constexpr const char* kUserId = "User-Id";  // a message's property: what the answer called its peer
constexpr Duration kLineInterval = std::chrono::seconds(1);

// The frames of a question.
enum Frame : std::size_t {
  kVersion,
  kRequestId,
  kDomainName,
  kAddress,
  kRoutingId,
  kMechanism,
  kKey
};
constexpr std::size_t kFrames = kKey + 1;

constexpr std::size_t kKeyBytes = 32;

std::string as_z85(const zmq::message_t& key) {
  std::array<char, kKeyBytes * 5 / 4 + 1> text{};
  zmq_z85_encode(text.data(), key.data<std::uint8_t>(), kKeyBytes);
  return text.data();
}

}  // namespace

KeyDesk::KeyDesk(zmq::context_t& context, const PeerKeys& keys, const Clock& clock, const Log& log)
    : socket_(context, zmq::socket_type::rep),
      keys_(keys),
      clock_(clock),
      log_(log),
      removals_(keys.removals()) {
  socket_.set(zmq::sockopt::linger, 0);
  socket_.bind(kPlace);
}

void KeyDesk::secure(zmq::socket_t& socket, const std::string& secret_key) {
  socket.set(zmq::sockopt::curve_server, true);
  socket.set(zmq::sockopt::curve_secretkey, secret_key);
  socket.set(zmq::sockopt::zap_domain, kDomain);
}

void KeyDesk::serve(PeerGate& gate) {
  for (Frames question; receive(question);) answer(question, allows(question, gate));
}

void KeyDesk::hear(const zmq::message_t& frame, PeerGate& gate) {
  auto* const message = const_cast<zmq_msg_t*>(frame.handle());
  const char* const user = zmq_msg_gets(message, kUserId);
  if (user == nullptr) return;  // it was not asked for a key
  gate.heard(zmq_msg_get(message, ZMQ_SRCFD), std::strtoull(user, nullptr, 10));
}

bool KeyDesk::receive(Frames& frames) {
  frames.clear();
  zmq::message_t frame;
  while (socket_.recv(frame, zmq::recv_flags::dontwait)) {
    const bool more = frame.more();
    frames.push_back(std::move(frame));
    if (!more) return true;
  }
  return false;
}

bool KeyDesk::allows(const Frames& question, PeerGate& gate) {
  if (question.size() != kFrames || question[kMechanism].to_string_view() != "CURVE" ||
      question[kKey].size() != kKeyBytes)
    return false;
  const std::string key = as_z85(question[kKey]);
  if (keys_.has(key)) {
    gate.allow(++allowed_, key);
    return true;
  }
  ++refused_;
  tell(question[kAddress].to_string_view(), key);
  return false;
}

// Those who are in come back at once, if they may: it is the same for them as a relay's restart.
void KeyDesk::look_after(PeerGate& gate, RelayStats& stats) {
  if (const std::uint64_t removals = keys_.removals(); removals > removals_) {
    removals_ = removals;
    gate.dismiss([this](const std::string& key) { return keys_.has(key); });
  }
  gate.end_dismissed();
  const PeerGate::Strangers strangers = gate.strangers();
  stats.command_keys_refused.set(refused_);
  stats.command_handshakes_failed.set(strangers.count);
  if (strangers.count == strangers_told_) return;
  strangers_told_ = strangers.count;
  log_.warning(
      "connections to the command sockets ended before they had shown a key: without CURVE, or "
      "with another public key than this relay's",
      {{"last_address", strangers.last_address}, {"total", strangers.count}});
}

void KeyDesk::tell(std::string_view address, std::string_view key) {
  const TimePoint now = clock_.now();
  if (now < next_line_) return;
  next_line_ = now + kLineInterval;
  log_.warning("connection to a command socket refused: --curve-clients does not list its key",
               {{"address", address}, {"key", key}, {"refused", refused_}});
}

void KeyDesk::answer(const Frames& question, bool allowed) {
  const std::string request = question.size() > kRequestId ? question[kRequestId].to_string() : "";
  const std::string user = allowed ? std::to_string(allowed_) : "";  // ZeroMQ knows the peer by it
  const std::array<std::string_view, 6> frames = {
      "1.0", request, allowed ? "200" : "400", allowed ? "OK" : "key not listed", user, ""};
  for (std::size_t index = 0; index < frames.size(); ++index) {
    const bool last = index + 1 == frames.size();
    socket_.send(zmq::buffer(frames[index]),
                 last ? zmq::send_flags::none : zmq::send_flags::sndmore);
  }
}

}  // namespace syncrelay
