#include "premises.h"

#include <malloc.h>

#include <algorithm>
#include <thread>
#include <utility>

#include "admin_token.h"
#include "curve_files.h"
#include "early_door.h"
#include "exposed_files.h"
#include "kept_members.h"
#include "page_text.h"
#include "syncrelay/base/private_dir.h"
#include "tls_files.h"
#include "token_keys.h"

namespace syncrelay {
namespace {

constexpr std::uint64_t kChannelBytes = 512;  // with little in it; of each copy
constexpr std::uint64_t kMessageBytes = 512;  // in the inbox, without its texts

// Where tokens say who somebody is, nobody else may say that he is that one.
bool believes_clients(const Config& config) {
  return config.anonymous_identity && config.token_key.empty() && config.token_jwks.empty();
}

}  // namespace

// Where they are told in another way, too, they are kept.
ChannelPatterns kept_members(const Config& config) {
  std::vector<std::string> patterns = config.presence;
  if (!config.members_key.empty() || !config.members_event.empty()) patterns.emplace_back();
  return ChannelPatterns(std::move(patterns));
}

Premises::Premises(const Config& the_config, const Log& the_log)
    : config(the_config),
      log(the_log),
      started_(clock.now()),
      began_(clock.wall()),
      hosts_(config.allow_host, config.allow_origin),
      origins_(config.allow_origin),
      proxies_(config.trusted_proxy) {
  if (config.connect_rate > 0) connect_rate_ = std::make_unique<ConnectRate>(config.connect_rate);
}

Premises::~Premises() = default;

Result<void, std::string> Premises::open() {
  if (auto prepared = prepare_private_dir(config.runtime_dir); !prepared) return prepared;
  auto lock = LockFile::acquire(config.runtime_dir + "/relay.lock");
  if (!lock) return lock.error();
  lock_ = std::move(lock).value();
  share_files();
  if (auto loaded = load_files(); !loaded) return loaded;
  exposed_files_ = std::make_unique<ExposedFiles>(config, log);
  exposed_files_->tell();
  for (std::uint32_t index = 0; index < shard_count(); ++index)
    shard_stats.push_back(std::make_unique<ShardStats>());
  return {};
}

void Premises::share_files() {
  const OpenFiles wanted = wanted_open_files(config.max_clients, shard_count());
  files = share_open_files(wanted, raise_open_files(wanted.all));
  admission_ =
      std::make_unique<Admission>(Admission::Limits{files.clients, config.max_clients_per_address});
  if (files.clients >= config.max_clients) return;
  log.warning("the limit on open files allows fewer clients than --max-clients",
              {{"max_clients", std::uint64_t{config.max_clients}},
               {"room_for", std::uint64_t{files.clients}}});
}

Result<void, std::string> Premises::load_files() {
  if (!config.token_key.empty() || !config.token_jwks.empty()) {
    token_keys = std::make_unique<TokenKeys>(config, log);
    if (auto loaded = token_keys->load(); !loaded) return loaded;
  }
  if (!config.admin_token.empty()) {
    admin_token = std::make_unique<AdminToken>(config, log);
    if (auto loaded = admin_token->load(); !loaded) return loaded;
  }
  if (!config.tls_cert.empty()) {
    tls_files = std::make_unique<TlsFiles>(config, clock, log);
    if (auto loaded = tls_files->load(); !loaded) return loaded;
  }
  if (config.curve_key.empty()) return {};
  curve_files = std::make_unique<CurveFiles>(config, log);
  return curve_files->load();
}

Result<void, std::string> Premises::open_listeners() {
  if (!client_listeners.empty()) return {};
  auto clients = Listener::open(config.host, config.port);
  if (!clients) return clients.error();
  client_listeners.push_back(std::move(clients).value());
  if (config.admin) {
    auto admin = Listener::open(config.admin->host, config.admin->port);
    if (!admin) return admin.error();
    admin_listeners.push_back(std::move(admin).value());
  }
  page_ = make_first_page(config, admin_listeners.empty() ? 0 : admin_listeners.front().port());
  return {};
}

Result<void, std::string> Premises::open_door() {
  if (door_) return {};
  auto door = std::make_unique<EarlyDoor>(*this);
  if (auto opened = door->open(); !opened) return opened;
  door_ = std::move(door);
  return {};
}

void Premises::stop_door() {
  if (door_) door_->stop();
}

void Premises::close_door() {
  door_.reset();
}

std::uint32_t Premises::shard_count() const {
  return config.shards > 0 ? config.shards : std::max(std::thread::hardware_concurrency(), 1U);
}

Shard::Settings Premises::shard_settings(const std::string& epoch) const {
  return {
      config.state_key,
      {config.log_bytes, config.log_events},
      {config.ping_interval, config.ping_timeout, config.json_ping_interval, config.stall_timeout},
      epoch,
      {ChannelRule(config.open_channels), config.max_subscriptions, config.max_channels},
      {believes_clients(config),
       kept_members(config),
       ChannelPatterns(config.client_publish),
       {config.client_rate, config.client_burst}}};
}

// Half of the connections that are no clients may wait for their shard.
ShardLoop::Settings Premises::loop_settings() const {
  TlsServer* const tls = tls_files ? &tls_files->server() : nullptr;
  const std::uint32_t rest = files.other_connections - door_connections();
  const std::uint32_t half = std::max(rest / shard_count() / 2, 1U);
  return {config.max_client_message,
          config.handshake_timeout,
          {half, transients_per_network()},
          half,
          config.hello_type,
          tls};
}

// An address that may have few clients needs no more room on the way to becoming one.
std::size_t Premises::transients_per_network() const {
  constexpr std::uint32_t kLeast = 16;
  const std::uint32_t clients = config.max_clients_per_address;
  return clients == 0 ? 0 : std::max(clients, kLeast);
}

DoorRules Premises::rules() {
  return {*admission_,
          hosts_,
          origins_,
          proxies_,
          token_keys ? &token_keys->settings() : nullptr,
          connect_rate_.get(),
          config.compression == Compression::on,
          page_.get()};
}

std::unique_ptr<Status> Premises::make_status(const std::string& epoch) const {
  std::unique_ptr<Status> status(
      new Status{SYNCRELAY_VERSION, epoch, started_, clock, log, relay_stats, {}});
  for (const auto& shard : shard_stats) status->shards.push_back(shard.get());
  status->door = config.admin ? &admin_stats : nullptr;
  if (config.cluster.empty()) return status;
  status->shards.push_back(&door_stats);
  status->cluster = &cluster_stats;
  return status;
}

std::unique_ptr<Acceptor> Premises::make_acceptor(std::vector<ShardLoop*> loops, Door* door,
                                                  Status& status) const {
  std::vector<const Listener*> clients;
  std::vector<const Listener*> admin;
  for (const Listener& listener : client_listeners) clients.push_back(&listener);
  for (const Listener& listener : admin_listeners) admin.push_back(&listener);
  return std::make_unique<Acceptor>(
      Acceptor::Settings{config.send_buffer, files.all}, std::move(clients), std::move(admin),
      std::move(loops),
      [door](Descriptor fd, std::string address) {
        door->adopt(std::move(fd), std::move(address));
      },
      status, clock, log);
}

// By what is counted anyway: to ask the allocator takes its locks, and time.
std::uint64_t Premises::held_bytes() const {
  constexpr std::uint64_t kKeyBytes = 64;  // of each copy, without the value
  constexpr std::uint64_t kTlsBytes = 16 * 1024;
  const std::uint64_t kept_for_client = 1536 + (tls_files ? kTlsBytes : 0);
  const std::uint64_t keys = relay_stats.state_keys.get() * kKeyBytes;
  std::uint64_t bytes = relay_stats.channels.get() * kChannelBytes + keys;
  bytes += relay_stats.state_bytes.get();
  bytes += relay_stats.inbox_messages.get() * kMessageBytes + relay_stats.inbox_bytes.get();
  std::uint64_t window = 0;
  for (const auto& shard : shard_stats) {
    bytes += shard->channels.get() * kChannelBytes + keys;
    bytes += shard->clients.get() * kept_for_client;
    window = std::max(window, shard->log_bytes.get());
  }
  return bytes + window;
}

std::uint64_t Premises::gone_bytes() const {
  const std::uint64_t channels =
      relay_stats.channels_dropped.get() + relay_stats.channels_forgotten.get();
  return channels * kChannelBytes * (1 + shard_stats.size());
}

// With the most that lay in the inbox since the last look: it may fill and drain in between.
std::uint64_t Premises::peak_bytes(std::uint64_t held) {
  const auto above = [](std::uint64_t peak, const Counter& now) {
    return peak - std::min(peak, now.get());
  };
  const std::uint64_t messages =
      above(relay_stats.inbox_messages_peak.take(), relay_stats.inbox_messages);
  return held + messages * kMessageBytes +
         above(relay_stats.inbox_bytes_peak.take(), relay_stats.inbox_bytes);
}

void Premises::give_back_memory() {
  const std::uint64_t held = held_bytes();
  if (!ebb_.look({held, peak_bytes(held), gone_bytes()}, clock.now())) return;
#ifdef __GLIBC__
  malloc_trim(0);
#endif
}

void Premises::look_after() {
  give_back_memory();
  if (token_keys) token_keys->reload_if_changed();
  if (admin_token) admin_token->reload_if_changed();
  if (tls_files) tls_files->reload_if_changed();
  if (curve_files) curve_files->reload_if_changed();
  exposed_files_->tell_if_changed();
}

void Premises::reload() {
  if (token_keys) token_keys->reload();
  if (admin_token) admin_token->reload();
  if (tls_files) tls_files->reload();
  if (curve_files) curve_files->reload();
  exposed_files_->tell();
}

}  // namespace syncrelay
