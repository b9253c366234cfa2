#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>
#include <zmq.hpp>

#include "control_socket.h"
#include "key_desk.h"
#include "syncrelay/ipc/command_server.h"
#include "syncrelay/ipc/lock_file.h"
#include "syncrelay/ipc/peer_gate.h"

namespace syncrelay {

// The sockets on which backends speak to a relay, with all that stands between them and the kernel.
// One CommandServer uses them at a time; the next one goes on with them, so that no connection of a
// backend ends, nothing that waits in them is lost, and nobody else gets an endpoint between two.
// One thread at a time.
class CommandSockets {
 public:
  // `clock`, `log` and the keys that `settings` names must outlive it; `held_up`: see PeerGate.
  CommandSockets(const CommandServer::Settings& settings, const Clock& clock, const Log& log,
                 std::function<void()> held_up);

  // Locks and binds every endpoint; once. The error says which one failed and why.
  Result<void, std::string> bind(const CommandServer::Settings& settings);

  // To each listening socket.
  std::uint32_t max_connections() const { return bounds_.connections; }

  // Answers that were given go out all the same.
  void close();

 private:
  const PeerGate::Bounds bounds_;

 public:
  PeerGate gate;
  zmq::context_t context{1};  // one I/O thread: see PeerGate

 private:
  std::vector<LockFile> locks_;  // let go of behind the sockets

 public:
  std::optional<KeyDesk> keys;  // none: nobody is asked for a key
  std::vector<zmq::socket_t> sockets;
  std::optional<ControlSocket> control;  // there once it is bound
  std::vector<std::string> endpoints;    // of `sockets`, as ZeroMQ names them

 private:
  template <typename Bind>
  Result<void, std::string> bind(const std::string& endpoint, const SocketAccess& access,
                                 Bind bind_socket);
  void bind_pull(const std::string& endpoint);
  void bind_control(const std::string& endpoint);
  void listen(zmq::socket_t& socket, const std::string& endpoint, PeerGate::Answers answers);

  const std::int64_t unreadable_bytes_;
  const std::string curve_key_;
};

}  // namespace syncrelay
