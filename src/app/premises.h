#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "syncrelay/base/clock.h"
#include "syncrelay/base/ebb_rule.h"
#include "syncrelay/base/log.h"
#include "syncrelay/base/result.h"
#include "syncrelay/base/wake.h"
#include "syncrelay/config/config.h"
#include "syncrelay/door/door.h"
#include "syncrelay/ipc/command_server.h"
#include "syncrelay/ipc/lock_file.h"
#include "syncrelay/metrics/cluster_stats.h"
#include "syncrelay/metrics/stats.h"
#include "syncrelay/post/errands.h"
#include "syncrelay/relay/store.h"
#include "syncrelay/ws/acceptor.h"
#include "syncrelay/ws/admission.h"
#include "syncrelay/ws/connect_rate.h"
#include "syncrelay/ws/first_page.h"
#include "syncrelay/ws/host_rule.h"
#include "syncrelay/ws/listener.h"
#include "syncrelay/ws/open_files.h"
#include "syncrelay/ws/origin_rule.h"
#include "syncrelay/ws/proxy_rule.h"
#include "syncrelay/ws/shard_loop.h"
#include "syncrelay/ws/status.h"

namespace syncrelay {

class AdminToken;
class CurveFiles;
class EarlyDoor;
class ExposedFiles;
class TlsFiles;
class TokenKeys;

// What a relay's process has for as long as it lives, though its cluster begin anew: its locks and
// listening sockets, the files that it reads, who may come in, what is counted. One Server at a
// time lives on it. Belongs to the thread that builds it.
class Premises {
 public:
  // What a server leaves to the next one.
  struct Legacy {
    std::shared_ptr<CommandSockets> sockets;
    StoredInbox inbox;
    // What was the state of the cluster, for one that has lost it; empty: it is not known.
    std::function<std::string()> state;
  };

  // Both must outlive it.
  Premises(const Config& config, const Log& log);
  ~Premises();

  // The error says what could not be had.
  Result<void, std::string> open();
  // The same; once, and then it stays so.
  Result<void, std::string> open_listeners();

  // To be called about once a second: gives memory back to the system when much was let go of, and
  // reads again the files that have changed.
  void look_after();
  // Reads again what it has read from files, see look_after().
  void reload();

  // The HTTP door of the admin listener, not started yet; null: there is no such listener. Both
  // must outlive it.
  std::unique_ptr<Door> make_admin_door(Errands& errands, const Status& status);
  // What answers to the query "stats" say of what the relay may have, and its like: JSON members.
  std::string limits() const;

  // Answers what comes to the listening sockets with what there is to say while nobody can be a
  // client. Nothing else may accept there meanwhile.
  Result<void, std::string> open_door();
  void stop_door();   // what comes now waits for who accepts next, see EarlyDoor::stop()
  void close_door();  // once it was stopped: waits up to a second for who is being answered

  std::uint32_t shard_count() const;
  ShardLoop::Settings loop_settings() const;
  Shard::Settings shard_settings(const std::string& epoch) const;
  DoorRules rules();
  std::unique_ptr<Status> make_status(const std::string& epoch) const;
  // `door`: for the admin listener's connections; null where there is none. All must outlive it.
  std::unique_ptr<Acceptor> make_acceptor(std::vector<ShardLoop*> loops, Door* door,
                                          Status& status) const;

  const Config& config;
  const Log& log;
  const SystemClock clock;
  OpenFiles files{};
  Wake wake;  // the relay's thread
  RelayStats relay_stats;
  ClusterStats cluster_stats;
  std::vector<std::unique_ptr<ShardStats>> shard_stats;
  ShardStats door_stats;  // of the early door
  DoorStats admin_stats;  // of the admin listener
  std::vector<Listener> client_listeners;
  std::vector<Listener> admin_listeners;
  std::unique_ptr<AdminToken> admin_token;  // null: the admin listener asks for none
  std::unique_ptr<TokenKeys> token_keys;    // null: no tokens are asked for
  std::unique_ptr<TlsFiles> tls_files;      // null: clients connect without TLS
  std::unique_ptr<CurveFiles> curve_files;  // null: nobody is asked for a key
  Legacy legacy;
  bool told_ready = false;

 private:
  Result<void, std::string> load_files();
  void share_files();
  void give_back_memory();
  std::uint32_t door_connections() const;
  std::size_t transients_per_network() const;
  std::uint64_t held_bytes() const;
  std::uint64_t gone_bytes() const;
  std::uint64_t peak_bytes(std::uint64_t held);

  const TimePoint started_;
  const WallTime began_;  // the same, by the wall
  EbbRule ebb_;
  std::optional<LockFile> lock_;
  std::unique_ptr<ExposedFiles> exposed_files_;
  std::unique_ptr<Admission> admission_;
  HostRule hosts_;
  OriginRule origins_;
  ProxyRule proxies_;
  std::unique_ptr<ConnectRate> connect_rate_;  // null: no such bound
  std::unique_ptr<FirstPage> page_;            // null: the client port shows none
  std::unique_ptr<EarlyDoor> door_;
};

}  // namespace syncrelay
