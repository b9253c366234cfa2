#include "syncrelay/app/server.h"

#include <malloc.h>
#include <sys/random.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <iostream>
#include <sstream>
#include <thread>

#include "admin_token.h"
#include "curve_files.h"
#include "exposed_files.h"
#include "syncrelay/base/apart.h"
#include "syncrelay/base/private_dir.h"
#include "syncrelay/base/standard_streams.h"
#include "syncrelay/relay/history_codec.h"
#include "tls_files.h"
#include "token_keys.h"

namespace syncrelay {
namespace {

// For standard output to take a line. Who does not read holds up nobody.
constexpr Duration kPatience = std::chrono::milliseconds(100);

// A transaction costs more than a command: with a store, commands that come within this time share
// one.
constexpr Duration kGather = std::chrono::milliseconds(1);

constexpr std::uint64_t kChannelBytes = 512;  // with little in it; of each copy
constexpr std::uint64_t kMessageBytes = 512;  // in the inbox, without its texts

std::string random_epoch() {
  std::uint64_t bits = 0;
  while (getrandom(&bits, sizeof bits, 0) != sizeof bits) {
  }
  char text[17];
  std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(bits));
  return text;
}

// Where they are told in another way, too, they are kept.
ChannelPatterns kept_members(const Config& config) {
  std::vector<std::string> patterns = config.presence;
  if (!config.members_key.empty() || !config.members_event.empty()) patterns.emplace_back();
  return ChannelPatterns(std::move(patterns));
}

// Where tokens say who somebody is, nobody else may say that he is that one.
bool believes_clients(const Config& config) {
  return config.anonymous_identity && config.token_key.empty() && config.token_jwks.empty();
}

}  // namespace

Server::Server(const Config& config, const Log& log) : config_(config), log_(log) {}

Server::~Server() = default;

Result<void, std::string> Server::start() {
  if (auto prepared = prepare_private_dir(config_.runtime_dir); !prepared) return prepared;
  auto lock = LockFile::acquire(config_.runtime_dir + "/relay.lock");
  if (!lock) return lock.error();
  lock_ = std::move(lock).value();
  const OpenFiles wanted = wanted_open_files(config_.max_clients, shard_count());
  files_ = share_open_files(wanted, raise_open_files(wanted.all));
  if (files_.clients < config_.max_clients) {
    log_.warning("the limit on open files allows fewer clients than --max-clients",
                 {{"max_clients", std::uint64_t{config_.max_clients}},
                  {"room_for", std::uint64_t{files_.clients}}});
  }
  if (auto loaded = load_keys(); !loaded) return loaded;
  if (auto loaded = load_admin_token(); !loaded) return loaded;
  if (auto loaded = load_certificate(); !loaded) return loaded;
  if (auto loaded = load_curve_keys(); !loaded) return loaded;
  exposed_files_ = std::make_unique<ExposedFiles>(config_, log_);
  exposed_files_->tell();
  if (auto opened = open_store(); !opened) return opened;
  if (auto opened = open_cluster(); !opened) return opened;
  if (auto opened = open_listeners(); !opened) return opened;
  build_shards();
  build_relay();
  build_door();
  if (auto bound = bind_commands(); !bound) return bound;
  if (auto started = start_shards(); !started) return started;
  catch_up();
  commands_->start();
  if (door_) door_->start();
  start_acceptor();
  say_ready();
  return {};
}

Result<void, std::string> Server::open_store() {
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

Result<void, std::string> Server::open_listeners() {
  auto clients = Listener::open(config_.host, config_.port);
  if (!clients) return clients.error();
  client_listeners_.push_back(std::move(clients).value());
  if (!config_.admin) return {};
  auto admin = Listener::open(config_.admin->host, config_.admin->port);
  if (!admin) return admin.error();
  admin_listeners_.push_back(std::move(admin).value());
  return {};
}

Result<void, std::string> Server::load_keys() {
  if (config_.token_key.empty() && config_.token_jwks.empty()) return {};
  token_keys_ = std::make_unique<TokenKeys>(config_, log_);
  return token_keys_->load();
}

Result<void, std::string> Server::load_certificate() {
  if (config_.tls_cert.empty()) return {};
  tls_files_ = std::make_unique<TlsFiles>(config_, clock_, log_);
  return tls_files_->load();
}

Result<void, std::string> Server::load_curve_keys() {
  if (config_.curve_key.empty()) return {};
  curve_files_ = std::make_unique<CurveFiles>(config_, log_);
  return curve_files_->load();
}

std::uint32_t Server::shard_count() const {
  return config_.shards > 0 ? config_.shards : std::max(std::thread::hardware_concurrency(), 1U);
}

Shard::Settings Server::shard_settings() const {
  return {config_.state_key,
          {config_.log_bytes, config_.log_events},
          {config_.ping_interval, config_.ping_timeout, config_.json_ping_interval,
           config_.stall_timeout},
          epoch_,
          {ChannelRule(config_.open_channels), config_.max_subscriptions, config_.max_channels},
          {believes_clients(config_),
           kept_members(config_),
           ChannelPatterns(config_.client_publish),
           {config_.client_rate, config_.client_burst}}};
}

// Half of the connections that are no clients may wait for their shard.
ShardLoop::Settings Server::loop_settings() const {
  TlsServer* const tls = tls_files_ ? &tls_files_->server() : nullptr;
  const std::uint32_t rest = files_.other_connections - door_connections();
  const std::uint32_t half = std::max(rest / shard_count() / 2, 1U);
  return {config_.max_client_message,
          config_.handshake_timeout,
          {half, transients_per_network()},
          half,
          config_.hello_type,
          tls};
}

// An address that may have few clients needs no more room on the way to becoming one.
std::size_t Server::transients_per_network() const {
  constexpr std::uint32_t kLeast = 16;
  const std::uint32_t clients = config_.max_clients_per_address;
  return clients == 0 ? 0 : std::max(clients, kLeast);
}

void Server::build_shards() {
  admission_ = std::make_unique<Admission>(
      Admission::Limits{files_.clients, config_.max_clients_per_address});
  hosts_ = std::make_unique<HostRule>(config_.allow_host, config_.allow_origin);
  origins_ = std::make_unique<OriginRule>(config_.allow_origin);
  proxies_ = std::make_unique<ProxyRule>(config_.trusted_proxy);
  if (config_.connect_rate > 0) connect_rate_ = std::make_unique<ConnectRate>(config_.connect_rate);
  const DoorRules rules{*admission_,
                        *hosts_,
                        *origins_,
                        *proxies_,
                        token_keys_ ? &token_keys_->settings() : nullptr,
                        connect_rate_.get(),
                        config_.compression == Compression::on};
  status_.reset(
      new Status{SYNCRELAY_VERSION, epoch_, clock_.now(), clock_, log_, relay_stats_, {}, {}, {}});
  for (std::uint32_t index = 0; index < shard_count(); ++index) {
    shard_stats_.push_back(std::make_unique<ShardStats>());
    status_->shards.push_back(shard_stats_.back().get());
    outboxes_.push_back(std::make_unique<Outbox>([this] { relay_wake_.set(); }));
    loops_.push_back(std::make_unique<ShardLoop>(loop_settings(), shard_settings(), clock_,
                                                 *shard_stats_.back(), *outboxes_.back(), rules,
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
  relay_ = std::make_unique<Relay>(relay_settings(), clock_, std::move(mailboxes), relay_stats_,
                                   store_.get());
  Order& order = shared_order_ ? static_cast<Order&>(*shared_order_) : order_;
  intake_ = std::make_unique<Intake>(Intake::Settings{config_.max_command, config_.cluster_timeout},
                                     *relay_, order, relay_stats_, clock_, log_);
  if (shared_order_) {
    shared_order_->set_user({[this](WallTime now) -> std::optional<std::string> {
                               const auto history = relay_->history(now);
                               if (!history) return std::nullopt;
                               return history_bytes(*history);
                             },
                             [this](RelayId home) { relay_->move(home); }});
  }
  // Without a history, or with one that may lack its end, versions and messages' numbers must not
  // come a second time all the same: an `if` from before would be true by chance, and a late `done`
  // would end a message that nobody has seen.
  const auto now = static_cast<std::uint64_t>(clock_.wall().microseconds);
  // The relays of a cluster have theirs from where it was founded.
  if (!shared_order_) history_.version = std::max(history_.version, now);
  history_.inbox.next = std::max(history_.inbox.next, now);
  const Restored restored = relay_->restore(history_);
  for (const auto& loop : loops_) loop->restore(restored);
  history_ = {};
}

Result<void, std::string> Server::bind_commands() {
  const CommandServer::Settings settings{config_.commands,
                                         config_.control,
                                         {config_.ipc_mode, config_.ipc_group},
                                         config_.max_command,
                                         epoch_,
                                         files_.command_connections,
                                         store_ ? kGather : Duration::zero(),
                                         kept_members(config_),
                                         curve_files_ ? curve_files_->secret_key() : "",
                                         curve_files_ ? &curve_files_->clients() : nullptr,
                                         errands_.get(),
                                         limits()};
  CommandServer::Shards shards{status_->shards, {}, relay_wake_};
  for (const auto& outbox : outboxes_) shards.outboxes.push_back(outbox.get());
  commands_ = std::make_unique<CommandServer>(
      settings, CommandServer::RelayParts{*relay_, *intake_, relay_stats_}, std::move(shards),
      clock_, log_);
  return commands_->bind();
}

Result<void, std::string> Server::start_shards() {
  const OpenFilesScope scope(files_.all);
  for (const auto& loop : loops_) {
    if (auto started = loop->start(); !started) return started;
  }
  return {};
}

void Server::start_acceptor() {
  std::vector<Listener*> clients;
  std::vector<Listener*> admin;
  std::vector<ShardLoop*> loops;
  for (Listener& listener : client_listeners_) clients.push_back(&listener);
  for (Listener& listener : admin_listeners_) admin.push_back(&listener);
  for (const auto& loop : loops_) loops.push_back(loop.get());
  acceptor_ = std::make_unique<Acceptor>(
      Acceptor::Settings{config_.send_buffer, files_.all}, std::move(clients), std::move(admin),
      std::move(loops),
      [this](Descriptor fd, std::string address) {
        door_->adopt(std::move(fd), std::move(address));
      },
      *status_, clock_, log_);
  acceptor_->start();
}

void Server::say_ready() const {
  std::string commands;
  for (const std::string& endpoint : commands_->endpoints()) {
    commands += (commands.empty() ? "\"" : ",\"") + endpoint + '"';
  }
  const std::string admin =
      admin_listeners_.empty() ? "null" : std::to_string(admin_listeners_.front().port());
  std::ostringstream line;
  line << R"({"ready":true,"port":)" << client_listeners_.front().port() << R"(,"tls":)"
       << (tls_files_ ? "true" : "false") << R"(,"admin":)" << admin << R"(,"commands":[)"
       << commands << R"(],"control":[")" << commands_->control_endpoint() << R"("],"pid":)"
       << getpid() << "}\n";
  run_apart([text = line.str()] { write_all(STDOUT_FILENO, text); }).wait_for(kPatience);
  const char* const tokens = !token_keys_             ? "off"
                             : config_.token_optional ? "optional"
                                                      : "required";
  log_.info("ready", {{"version", SYNCRELAY_VERSION},
                      {"host", config_.host},
                      {"port", int{client_listeners_.front().port()}},
                      {"commands", commands_->endpoints().front()},
                      {"tls", tls_files_ != nullptr},
                      {"tokens", tokens},
                      {"curve", curve_files_ != nullptr},
                      {"shards", static_cast<std::uint64_t>(loops_.size())},
                      {"max_clients", std::uint64_t{files_.clients}},
                      {"epoch", epoch_}});
}

// By what is counted anyway: to ask the allocator takes its locks, and time.
std::uint64_t Server::held_bytes() const {
  constexpr std::uint64_t kKeyBytes = 64;  // of each copy, without the value
  constexpr std::uint64_t kTlsBytes = 16 * 1024;
  const std::uint64_t kept_for_client = 1536 + (tls_files_ ? kTlsBytes : 0);
  const std::uint64_t keys = relay_stats_.state_keys.get() * kKeyBytes;
  std::uint64_t bytes = relay_stats_.channels.get() * kChannelBytes + keys;
  bytes += relay_stats_.state_bytes.get();
  bytes += relay_stats_.inbox_messages.get() * kMessageBytes + relay_stats_.inbox_bytes.get();
  std::uint64_t window = 0;
  for (const auto& shard : shard_stats_) {
    bytes += shard->channels.get() * kChannelBytes + keys;
    bytes += shard->clients.get() * kept_for_client;
    window = std::max(window, shard->log_bytes.get());
  }
  return bytes + window;
}

std::uint64_t Server::gone_bytes() const {
  const std::uint64_t channels =
      relay_stats_.channels_dropped.get() + relay_stats_.channels_forgotten.get();
  return channels * kChannelBytes * (1 + shard_stats_.size());
}

// With the most that lay in the inbox since the last look: it may fill and drain in between.
std::uint64_t Server::peak_bytes(std::uint64_t held) {
  const auto above = [](std::uint64_t peak, const Counter& now) {
    return peak - std::min(peak, now.get());
  };
  const std::uint64_t messages =
      above(relay_stats_.inbox_messages_peak.take(), relay_stats_.inbox_messages);
  return held + messages * kMessageBytes +
         above(relay_stats_.inbox_bytes_peak.take(), relay_stats_.inbox_bytes);
}

void Server::give_back_memory() {
  const std::uint64_t held = held_bytes();
  if (!ebb_.look({held, peak_bytes(held), gone_bytes()}, clock_.now())) return;
#ifdef __GLIBC__
  malloc_trim(0);
#endif
}

void Server::look_after() {
  give_back_memory();
  if (token_keys_) token_keys_->reload_if_changed();
  if (admin_token_) admin_token_->reload_if_changed();
  if (tls_files_) tls_files_->reload_if_changed();
  if (curve_files_) curve_files_->reload_if_changed();
  exposed_files_->tell_if_changed();
}

void Server::reload() {
  if (token_keys_) token_keys_->reload();
  if (admin_token_) admin_token_->reload();
  if (tls_files_) tls_files_->reload();
  if (curve_files_) curve_files_->reload();
  exposed_files_->tell();
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
