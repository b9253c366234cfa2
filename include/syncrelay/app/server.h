#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "syncrelay/base/clock.h"
#include "syncrelay/base/ebb_rule.h"
#include "syncrelay/base/log.h"
#include "syncrelay/base/result.h"
#include "syncrelay/config/config.h"
#include "syncrelay/door/door.h"
#include "syncrelay/ipc/command_server.h"
#include "syncrelay/ipc/lock_file.h"
#include "syncrelay/metrics/stats.h"
#include "syncrelay/redis/redis_order.h"
#include "syncrelay/relay/intake.h"
#include "syncrelay/relay/order.h"
#include "syncrelay/relay/relay.h"
#include "syncrelay/store/sqlite_store.h"
#include "syncrelay/ws/acceptor.h"
#include "syncrelay/ws/admission.h"
#include "syncrelay/ws/connect_rate.h"
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
class ExposedFiles;
class TlsFiles;
class TokenKeys;

// The running relay: its parts, built bottom-up and stopped in reverse. Belongs to the thread that
// builds it.
class Server {
 public:
  // Both must outlive the server.
  Server(const Config& config, const Log& log);

  // The error says what could not be had.
  Result<void, std::string> start();

  ~Server();

  // To be called about once a second while it runs: gives memory back to the system when much was
  // let go of, and reads again the files that have changed.
  void look_after();

  // Reads again what it has read from files, see look_after().
  void reload();

  // Why it cannot go on, and has to begin anew: then it is to be stopped. nullopt: it can.
  std::optional<std::string> has_ended() const;

  // Takes what backends have sent, lets clients have it, closes them and ends all threads; after a
  // start that failed, too.
  void stop();

 private:
  Result<void, std::string> open_store();
  Result<void, std::string> open_cluster();
  Result<void, std::string> read_beginning(const RedisOrder::Beginning& beginning);
  std::string fold(const std::string& state, std::deque<ClusterEvent> events) const;
  Relay::Settings relay_settings() const;
  void catch_up();
  Result<void, std::string> open_listeners();
  Result<void, std::string> load_keys();
  Result<void, std::string> load_admin_token();
  std::uint32_t door_connections() const;
  void build_door();
  std::string limits() const;
  Result<void, std::string> load_certificate();
  Result<void, std::string> load_curve_keys();
  void build_shards();
  Result<void, std::string> start_shards();
  void build_relay();
  Result<void, std::string> bind_commands();
  void start_acceptor();
  void give_back_memory();
  void say_ready() const;
  std::uint32_t shard_count() const;
  Shard::Settings shard_settings() const;
  ShardLoop::Settings loop_settings() const;
  std::size_t transients_per_network() const;
  std::uint64_t held_bytes() const;
  std::uint64_t gone_bytes() const;
  std::uint64_t peak_bytes(std::uint64_t held);

  const Config& config_;
  const Log& log_;
  const SystemClock clock_;
  EbbRule ebb_;
  std::string epoch_;
  StoredHistory history_;  // empty once the parts have gone on from it
  OpenFiles files_{};
  std::optional<LockFile> lock_;
  std::vector<Listener> client_listeners_;
  std::vector<Listener> admin_listeners_;
  RelayStats relay_stats_;
  std::vector<std::unique_ptr<ShardStats>> shard_stats_;
  Wake relay_wake_;
  std::vector<std::unique_ptr<Outbox>> outboxes_;  // of the shards
  std::unique_ptr<Admission> admission_;
  std::unique_ptr<ConnectRate> connect_rate_;  // null: no such bound
  std::unique_ptr<HostRule> hosts_;
  std::unique_ptr<OriginRule> origins_;
  std::unique_ptr<ProxyRule> proxies_;
  std::unique_ptr<AdminToken> admin_token_;  // null: the admin listener asks for none
  std::unique_ptr<CurveFiles> curve_files_;  // null: nobody is asked for a key
  std::unique_ptr<ExposedFiles> exposed_files_;
  std::unique_ptr<TokenKeys> token_keys_;  // null: no tokens are asked for
  std::unique_ptr<TlsFiles> tls_files_;    // null: clients connect without TLS
  std::unique_ptr<Status> status_;
  std::vector<std::unique_ptr<ShardLoop>> loops_;
  std::optional<LockFile> data_lock_;
  std::unique_ptr<SqliteStore> store_;
  std::unique_ptr<Relay> relay_;
  LocalOrder order_{clock_};
  std::unique_ptr<RedisOrder> shared_order_;  // null: the relay is alone
  WallTime newest_{};                         // in its log, at the start, by its time
  std::unique_ptr<Intake> intake_;
  DoorStats door_stats_;
  std::unique_ptr<Errands> errands_;  // null: there is no admin listener
  std::unique_ptr<CommandServer> commands_;
  std::unique_ptr<Door> door_;  // null: the same
  std::unique_ptr<Acceptor> acceptor_;
};

}  // namespace syncrelay
