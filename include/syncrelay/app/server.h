#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "syncrelay/base/clock.h"
#include "syncrelay/base/log.h"
#include "syncrelay/base/result.h"
#include "syncrelay/config/config.h"
#include "syncrelay/door/door.h"
#include "syncrelay/ipc/command_server.h"
#include "syncrelay/ipc/lock_file.h"
#include "syncrelay/redis/redis_order.h"
#include "syncrelay/relay/intake.h"
#include "syncrelay/relay/order.h"
#include "syncrelay/relay/relay.h"
#include "syncrelay/store/sqlite_store.h"
#include "syncrelay/ws/acceptor.h"
#include "syncrelay/ws/shard_loop.h"
#include "syncrelay/ws/status.h"

namespace syncrelay {

class Premises;

// The running relay, under one epoch: its parts, built bottom-up and stopped in reverse. Belongs to
// the thread that builds it.
class Server {
 public:
  enum class Started : std::uint8_t {
    ready,
    stopped,  // it was asked to, while it waited
  };

  // They must outlive the server, be open, and have no other one meanwhile.
  explicit Server(Premises& premises);
  ~Server();

  // Waits for the cluster's log, where there is one, and asks meanwhile, several times a second,
  // whether to stop. The error says what could not be had.
  Result<Started, std::string> start(const std::function<bool()>& asked_to_stop);

  // Why it cannot go on; then it is to be stopped, or to make way. nullopt: it can.
  std::optional<RedisOrder::Ending> has_ended() const;

  // Takes what backends have sent, lets clients have it, closes them and ends all threads; after a
  // start that failed, too.
  void stop();

  // Instead of stop(), where the cluster began anew: closes the clients, and leaves sockets, what
  // waits in them and the inbox to the next server. Meanwhile the early door is open.
  void make_way();

 private:
  Result<void, std::string> open_store();
  Result<void, std::string> open_cluster(const std::function<bool()>& asked_to_stop);
  Result<void, std::string> read_beginning(const RedisOrder::Beginning& beginning);
  std::string first_state() const;
  std::string fold(const std::string& state, std::deque<ClusterEvent> events,
                   WallTime newest) const;
  static CheckpointMaker::Work checkpoint_work(const Relay& relay, WallTime now);
  Relay::Settings relay_settings() const;
  Result<void, std::string> catch_up();
  void build_door();
  void build_shards();
  Result<void, std::string> start_shards();
  void build_relay();
  void restore();
  Result<void, std::string> bind_commands();
  void start_acceptor();
  void open_to_clients();
  std::string cluster_shown() const;
  void say_ready() const;
  void print_ready() const;

  Premises& premises_;
  const Config& config_;
  const Log& log_;
  const Clock& clock_;
  std::string epoch_;
  StoredHistory history_;                          // empty once the parts have gone on from it
  std::vector<std::unique_ptr<Outbox>> outboxes_;  // of the shards
  std::unique_ptr<Status> status_;
  std::vector<std::unique_ptr<ShardLoop>> loops_;
  std::optional<LockFile> data_lock_;
  std::unique_ptr<SqliteStore> store_;
  std::shared_ptr<Relay> relay_;
  LocalOrder order_;
  std::unique_ptr<RedisOrder> shared_order_;  // null: the relay is alone
  WallTime began_{};                          // when its log was read, by the clock of Redis
  std::unique_ptr<Intake> intake_;
  std::unique_ptr<Errands> errands_;  // null: there is no admin listener
  std::unique_ptr<CommandServer> commands_;
  std::unique_ptr<Door> door_;  // null: the same
  std::unique_ptr<Acceptor> acceptor_;
};

}  // namespace syncrelay
