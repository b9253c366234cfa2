#include "syncrelay/app/server.h"

#include <sys/random.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <sstream>
#include <utility>

#include "curve_files.h"
#include "kept_members.h"
#include "premises.h"
#include "syncrelay/base/apart.h"
#include "syncrelay/base/private_dir.h"
#include "syncrelay/base/redis_url.h"
#include "syncrelay/base/standard_streams.h"
#include "syncrelay/relay/history_codec.h"

namespace syncrelay {
namespace {

// For standard output to take a line. Who does not read holds up nobody.
constexpr Duration kPatience = std::chrono::milliseconds(100);

// A transaction costs more than a command: with a store, commands that come within this time share
// one.
constexpr Duration kGather = std::chrono::milliseconds(1);

std::string random_epoch() {
  std::uint64_t bits = 0;
  while (getrandom(&bits, sizeof bits, 0) != sizeof bits) {
  }
  char text[17];
  std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(bits));
  return text;
}

}  // namespace

Server::Server(Premises& premises)
    : premises_(premises),
      config_(premises.config),
      log_(premises.log),
      clock_(premises.clock),
      order_(premises.clock) {}

Server::~Server() = default;

Result<Server::Started, std::string> Server::start(const std::function<bool()>& asked_to_stop) {
  if (auto opened = open_store(); !opened) return opened.error();
  if (auto opened = premises_.open_listeners(); !opened) return opened.error();
  if (auto opened = open_cluster(asked_to_stop); !opened) return opened.error();
  if (epoch_.empty()) return Started::stopped;
  build_shards();
  build_relay();
  build_door();
  restore();
  if (auto bound = bind_commands(); !bound) return bound.error();
  if (auto started = start_shards(); !started) return started.error();
  if (auto caught_up = catch_up(); !caught_up) return caught_up.error();
  open_to_clients();
  return Started::ready;
}

// Who comes to the door meanwhile waits in the kernel, for as long as it takes to change who
// accepts.
void Server::open_to_clients() {
  commands_->start();
  premises_.stop_door();
  if (door_) door_->start();
  start_acceptor();
  say_ready();
  premises_.close_door();
}

Result<void, std::string> Server::open_store() {
  if (!config_.cluster.empty()) return {};
  epoch_ = random_epoch();
  if (config_.data.empty()) return {};
  if (auto prepared = prepare_private_dir(config_.data); !prepared) return prepared;
  auto lock = LockFile::acquire(config_.data + "/relay.lock");
  if (!lock) return lock.error();
  data_lock_ = std::move(lock).value();
  auto store = SqliteStore::open(
      {config_.data,
       config_.durability == Durability::power ? SqliteStore::Sync::power
                                               : SqliteStore::Sync::process,
       config_.log_bytes, config_.log_events, config_.dedup_ids, config_.dedup_window});
  if (!store) return store.error();
  store_ = std::move(store).value();
  auto history = store_->load(epoch_);
  if (!history) return history.error();
  history_ = std::move(history).value();
  epoch_ = history_.epoch;
  if (history_.missing) {
    log_.warning("something stored may be missing: a new epoch, and every client gets a snapshot",
                 {{"data", config_.data}, {"why", *history_.missing}});
  }
  return {};
}

void Server::build_shards() {
  status_ = premises_.make_status(epoch_);
  for (const auto& stats : premises_.shard_stats) {
    outboxes_.push_back(std::make_unique<Outbox>([this] { premises_.wake.set(); }));
    Shard::Settings settings = premises_.shard_settings(epoch_);
    settings.number = outboxes_.size();
    loops_.push_back(std::make_unique<ShardLoop>(premises_.loop_settings(), settings, clock_,
                                                 *stats, *outboxes_.back(), premises_.rules(),
                                                 *status_, log_));
  }
}

Relay::Settings Server::relay_settings() const {
  return {{config_.state_key, config_.max_state, config_.max_state_keys, config_.max_channels,
           config_.max_members, config_.members_key, config_.members_event},
          {config_.log_bytes, config_.log_events},
          {config_.dedup_ids, config_.dedup_window},
          {config_.inbox_messages, config_.inbox_bytes, {config_.dedup_ids, config_.dedup_window}},
          {config_.presence_grace, config_.presence_grace_closed,
           shared_order_ ? shared_order_->home() : kAlone}};
}

void Server::build_relay() {
  std::vector<Mailbox<Letter>*> mailboxes;
  for (const auto& loop : loops_) mailboxes.push_back(&loop->letters());
  relay_ = std::make_shared<Relay>(relay_settings(), clock_, std::move(mailboxes),
                                   premises_.relay_stats, store_.get());
  Order& order = shared_order_ ? static_cast<Order&>(*shared_order_) : order_;
  intake_ = std::make_unique<Intake>(
      Intake::Settings{config_.max_command, config_.cluster_timeout, config_.trace}, *relay_, order,
      premises_.relay_stats, clock_, log_);
  if (!shared_order_) return;
  shared_order_->set_user({[this](WallTime now) { return checkpoint_work(*relay_, now); },
                           [this](RelayId home) { relay_->move(home); }});
}

// Without a history, or with one that may lack its end, versions and messages' numbers must not
// come a second time all the same: an `if` from before would be true by chance, and a late `done`
// would end a message that nobody has seen. The relays of a cluster have their versions from where
// it was founded.
void Server::restore() {
  const auto now = static_cast<std::uint64_t>(clock_.wall().microseconds);
  if (shared_order_) {
    history_.inbox = std::exchange(premises_.legacy.inbox, {});
    premises_.legacy.state = nullptr;
  } else {
    history_.version = std::max(history_.version, now);
  }
  history_.inbox.next = std::max(history_.inbox.next, now);
  const Restored restored = relay_->restore(history_);
  for (const auto& loop : loops_) loop->restore(restored);
  history_ = {};
}

Result<void, std::string> Server::bind_commands() {
  const CurveFiles* const curve = premises_.curve_files.get();
  const CommandServer::Settings settings{config_.commands,
                                         config_.control,
                                         {config_.ipc_mode, config_.ipc_group},
                                         config_.max_command,
                                         epoch_,
                                         premises_.files.command_connections,
                                         store_ ? kGather : Duration::zero(),
                                         kept_members(config_),
                                         curve != nullptr ? curve->secret_key() : "",
                                         curve != nullptr ? &curve->clients() : nullptr,
                                         shared_order_ ? &premises_.cluster_stats : nullptr,
                                         errands_.get(),
                                         premises_.limits()};
  CommandServer::Shards shards{status_->shards, {}, premises_.wake};
  for (const auto& outbox : outboxes_) shards.outboxes.push_back(outbox.get());
  commands_ = std::make_unique<CommandServer>(
      settings, CommandServer::RelayParts{*relay_, *intake_, premises_.relay_stats},
      std::move(shards), clock_, log_, std::exchange(premises_.legacy.sockets, nullptr));
  return commands_->bind();
}

void Server::build_door() {
  if (!config_.admin) return;
  errands_ = std::make_unique<Errands>([this] { premises_.wake.set(); }, [this] { door_->wake(); });
  door_ = premises_.make_admin_door(*errands_, *status_);
}

Result<void, std::string> Server::start_shards() {
  const OpenFilesScope scope(premises_.files.all);
  for (const auto& loop : loops_) {
    if (auto started = loop->start(); !started) return started;
  }
  return {};
}

void Server::start_acceptor() {
  std::vector<ShardLoop*> loops;
  for (const auto& loop : loops_) loops.push_back(loop.get());
  acceptor_ = premises_.make_acceptor(std::move(loops), door_.get(), *status_);
  acceptor_->start();
}

// Without the password; configure() has read it before.
std::string Server::cluster_shown() const {
  const auto url = RedisUrl::parse(config_.cluster);
  return url ? url.value().shown() : "off";
}

// The line is a process' first word, once; the log tells of every epoch.
void Server::say_ready() const {
  if (!std::exchange(premises_.told_ready, true)) print_ready();
  const char* const tokens = !premises_.token_keys    ? "off"
                             : config_.token_optional ? "optional"
                                                      : "required";
  log_.info("ready", {{"version", SYNCRELAY_VERSION},
                      {"host", config_.host},
                      {"port", int{premises_.client_listeners.front().port()}},
                      {"commands", commands_->endpoints().front()},
                      {"tls", premises_.tls_files != nullptr},
                      {"tokens", tokens},
                      {"curve", premises_.curve_files != nullptr},
                      {"cluster", cluster_shown()},
                      {"shards", static_cast<std::uint64_t>(loops_.size())},
                      {"max_clients", std::uint64_t{premises_.files.clients}},
                      {"epoch", epoch_}});
}

void Server::print_ready() const {
  std::string commands;
  for (const std::string& endpoint : commands_->endpoints()) {
    commands += (commands.empty() ? "\"" : ",\"") + endpoint + '"';
  }
  const auto& admins = premises_.admin_listeners;
  const std::string admin = admins.empty() ? "null" : std::to_string(admins.front().port());
  std::ostringstream line;
  line << R"({"ready":true,"port":)" << premises_.client_listeners.front().port() << R"(,"tls":)"
       << (premises_.tls_files ? "true" : "false") << R"(,"admin":)" << admin << R"(,"commands":[)"
       << commands << R"(],"control":[")" << commands_->control_endpoint() << R"("],"pid":)"
       << getpid() << "}\n";
  run_apart([text = line.str()] { write_all(STDOUT_FILENO, text); }).wait_for(kPatience);
}

// /health goes on answering until the last client is told.
void Server::stop() {
  const TimePoint deadline = clock_.now() + config_.drain_timeout;
  if (status_) status_->stopping = true;
  if (commands_) commands_->stop(deadline);
  for (const auto& loop : loops_) loop->begin_drain(deadline);
  for (const auto& loop : loops_) loop->join();
  if (acceptor_) acceptor_->stop();
  if (door_) door_->stop();
  if (shared_order_) shared_order_->stop();
}

}  // namespace syncrelay
