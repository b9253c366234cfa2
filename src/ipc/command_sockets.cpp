#include "command_sockets.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <utility>

namespace syncrelay {
namespace {

using std::chrono::milliseconds;

// A message over --max-command is refused and counted. One this many times larger is not even read:
// ZeroMQ drops the connection, so that nobody can make the relay allocate without limit.
constexpr std::int64_t kUnreadableFactor = 4;
constexpr std::int64_t kMinUnreadableBytes = 64LL * 1024 * 1024;

// Commands that lie in memory and nobody has taken, by weight. ZeroMQ's own bound is off: it counts
// messages, and a peer that closes while it is at that bound loses what the kernel still holds of
// it.
constexpr std::uint64_t kWaitingBytes = 16ULL * 1024 * 1024;
constexpr int kNoHighWaterMark = 0;

constexpr std::uint64_t kUnfinishedMessages = 4;  // of the largest, on all connections together

constexpr milliseconds kHandshake{10'000};  // time for a peer to say that it speaks ZeroMQ

std::int64_t unreadable_bytes(const CommandServer::Settings& settings) {
  return std::max(static_cast<std::int64_t>(settings.max_command) * kUnreadableFactor,
                  kMinUnreadableBytes);
}

PeerGate::Bounds bounds(const CommandServer::Settings& settings) {
  const auto listeners = static_cast<std::uint32_t>(settings.endpoints.size() + 1);
  const auto message = static_cast<std::uint64_t>(unreadable_bytes(settings));
  return {std::max(settings.max_connections / listeners, 1U), kWaitingBytes, message,
          message * kUnfinishedMessages};
}

// Returns the listening socket's descriptor, which ZeroMQ tells only to a monitor.
// `number` is another one each time.
int bind_and_tell(zmq::context_t& context, zmq::socket_t& socket, const std::string& endpoint,
                  std::size_t number) {
  const std::string name = "inproc://listening-" + std::to_string(number);
  if (zmq_socket_monitor(socket.handle(), name.c_str(), ZMQ_EVENT_LISTENING) != 0)
    throw zmq::error_t();
  zmq::socket_t monitor(context, zmq::socket_type::pair);
  monitor.connect(name);
  socket.bind(endpoint);
  zmq::message_t event;
  zmq::message_t where;
  if (!monitor.recv(event) || !monitor.recv(where)) throw zmq::error_t();
  zmq_socket_monitor(socket.handle(), nullptr, 0);
  std::int32_t descriptor = -1;
  std::memcpy(&descriptor, event.data<char>() + sizeof(std::uint16_t), sizeof descriptor);
  return descriptor;
}

}  // namespace

CommandSockets::CommandSockets(const CommandServer::Settings& settings, const Clock& clock,
                               const Log& log, std::function<void()> held_up)
    : bounds_(bounds(settings)),
      gate(bounds_, clock, std::move(held_up)),
      unreadable_bytes_(unreadable_bytes(settings)),
      curve_key_(settings.curve_key) {
  if (settings.curve_clients != nullptr) keys.emplace(context, *settings.curve_clients, clock, log);
}

Result<void, std::string> CommandSockets::bind(const CommandServer::Settings& settings) {
  if (keys && zmq_has("curve") == 0)
    return std::string("--curve-key cannot be used: this ZeroMQ is built without CURVE");
  for (const std::string& endpoint : settings.endpoints) {
    auto bound = bind(endpoint, settings.access, [&] { bind_pull(endpoint); });
    if (!bound) return bound;
  }
  return bind(settings.control, settings.access, [&] { bind_control(settings.control); });
}

template <typename Bind>
Result<void, std::string> CommandSockets::bind(const std::string& endpoint,
                                               const SocketAccess& access, Bind bind_socket) {
  const auto path = ipc_path(endpoint);
  if (path) {
    auto lock = LockFile::acquire(*path + ".lock");
    if (!lock) return lock.error();
    locks_.push_back(std::move(lock).value());
  }
  const UmaskScope umask(path ? access.mode : 0777);
  try {
    bind_socket();
  } catch (const zmq::error_t& error) {
    return "cannot bind " + endpoint + ": " + error.what();
  }
  return path ? grant_access(*path, access) : Result<void, std::string>();
}

void CommandSockets::bind_pull(const std::string& endpoint) {
  zmq::socket_t socket(context, zmq::socket_type::pull);
  socket.set(zmq::sockopt::maxmsgsize, unreadable_bytes_);
  socket.set(zmq::sockopt::linger, 0);
  listen(socket, endpoint, PeerGate::Answers::none);
  endpoints.push_back(socket.get(zmq::sockopt::last_endpoint));
  sockets.push_back(std::move(socket));
}

void CommandSockets::bind_control(const std::string& endpoint) {
  control.emplace(context, unreadable_bytes_, gate);
  listen(control->socket(), endpoint, PeerGate::Answers::each);
}

void CommandSockets::listen(zmq::socket_t& socket, const std::string& endpoint,
                            PeerGate::Answers answers) {
  socket.set(zmq::sockopt::rcvhwm, kNoHighWaterMark);
  socket.set(zmq::sockopt::handshake_ivl, static_cast<int>(kHandshake.count()));
  const bool secured = keys && !ipc_path(endpoint);
  if (secured) KeyDesk::secure(socket, curve_key_);
  gate.watch(
      answers, [&] { return bind_and_tell(context, socket, endpoint, endpoints.size()); },
      secured ? ZmtpMeter::Mechanism::curve : ZmtpMeter::Mechanism::none);
}

void CommandSockets::close() {
  for (zmq::socket_t& socket : sockets) socket.close();
  control->socket().close();
}

}  // namespace syncrelay
