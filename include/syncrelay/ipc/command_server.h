#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "syncrelay/base/clock.h"
#include "syncrelay/base/log.h"
#include "syncrelay/base/result.h"
#include "syncrelay/base/wake.h"
#include "syncrelay/ipc/peer_keys.h"
#include "syncrelay/ipc/socket_files.h"
#include "syncrelay/metrics/cluster_stats.h"
#include "syncrelay/metrics/stats.h"
#include "syncrelay/post/errands.h"
#include "syncrelay/post/outbox.h"
#include "syncrelay/protocol/channel_name.h"
#include "syncrelay/relay/intake.h"
#include "syncrelay/relay/relay.h"

namespace syncrelay {

class CommandSockets;

// The relay's thread: hands what comes on the PULL sockets and the control socket to the intake,
// has it published in batches, and answers on the control socket. When the relay has to wait for
// its shards, commands stay in the sockets and ZeroMQ's limits reach the backends. Construction,
// bind(), start() and stop() belong to the thread that builds it.
class CommandServer {
 public:
  struct Settings {
    std::vector<std::string> endpoints;  // PULL
    std::string control;                 // ROUTER
    SocketAccess access;
    std::uint64_t max_command;  // bytes; decides what is not even read
    std::string epoch;
    std::uint32_t max_connections;  // to all endpoints together, in equal shares
    Duration gather;                // see GatherRule
    ChannelPatterns presence = {};  // the channels that keep members
    // With them the tcp:// endpoints ask for keys (CURVE, RFC 26): the relay's secret one as Z85,
    // and those of peers that may connect, which must outlive the server.
    std::string curve_key = {};
    const PeerKeys* curve_clients = nullptr;
    const ClusterStats* cluster = nullptr;  // null: the relay is alone; must outlive the server
    Errands* errands = nullptr;  // of the HTTP door, which must outlive the server; null: no door
    std::string limits = {};     // for the query "stats": what the relay may have, JSON members
  };

  // What lies on the other side. All must outlive the server.
  struct Shards {
    std::vector<const ShardStats*> stats;
    std::vector<Outbox*> outboxes;
    Wake& wake;  // set when an outbox is not empty any more
  };

  // What it drives. All must outlive the server.
  struct RelayParts {
    Relay& relay;
    Intake& intake;
    RelayStats& stats;
  };

  // Both references must outlive the server, and its sockets. `sockets`: those of the server
  // before, see make_way(), of the same settings but for epoch and cluster, and the same Wake;
  // null: it has its own.
  CommandServer(const Settings& settings, const RelayParts& relay, Shards shards,
                const Clock& clock, const Log& log,
                std::shared_ptr<CommandSockets> sockets = nullptr);
  ~CommandServer();
  CommandServer(const CommandServer&) = delete;
  CommandServer& operator=(const CommandServer&) = delete;

  // Locks and binds every endpoint, where they are its own. The error says which one failed and
  // why.
  Result<void, std::string> bind();

  // The bound endpoints, as ZeroMQ names them.
  const std::vector<std::string>& endpoints() const;
  std::string control_endpoint() const;

  void start();

  // Takes what lies in the sockets, publishes it, and ends the thread, at `deadline` at the latest.
  // Backends that go on sending are heard for half a second more; what they send then stays with
  // them.
  void stop(TimePoint deadline);

  // Ends the thread, and leaves the sockets to the next server as they are: backends stay
  // connected, and what they have sent and nobody has taken waits. Who waits for an answer is told
  // that nobody knows. Instead of stop().
  std::shared_ptr<CommandSockets> make_way();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace syncrelay
