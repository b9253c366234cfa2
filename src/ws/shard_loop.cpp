#include "syncrelay/ws/shard_loop.h"

#include <ev.h>
#include <libwebsockets.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include "connection.h"

namespace syncrelay {
namespace {

constexpr double kTickSeconds = 0.25;
constexpr double kDrainTickSeconds = 0.01;
constexpr std::size_t kAdoptionsPerTurn = 64;      // then those adopted before have their turn
constexpr LineBudget::Bounds kEndLines{20, 1000};  // log lines of clients that are gone
constexpr LineBudget::Bounds kTlsLines{1, 1};      // of TLS handshakes that have failed
constexpr unsigned kReadBytes = 16 * 1024;         // at once from a connection
constexpr Duration kTurnTime = std::chrono::milliseconds(1);  // at least, between two of the shard
constexpr Duration kCloseGrace = std::chrono::seconds(1);  // for clients to answer the close frame

// libwebsockets' own keepalive keeps a sorted list of all connections; hangup 0 turns it off. (ping
// 0 would mean the default policy.)
constexpr lws_retry_bo_t kNoKeepalive = {nullptr, 0, 0, 1, 0, 0};

// Who keeps to the rate of messages may deflate them: a burst of messages of any size that is
// usual, and ordinary ones without end.
InflateBounds inflate_bounds(const MessageBounds& rate) {
  constexpr std::uint64_t kBytesPerSecond = 8 * 1024;  // for each message a second
  constexpr std::uint64_t kBytesAtOnce = 128 * 1024;   // for each message at once
  return {rate.per_second * kBytesPerSecond, rate.at_once * kBytesAtOnce};
}

}  // namespace

struct ShardLoop::Impl {
  Impl(const Settings& settings, const Shard::Settings& shard_settings, const Clock& the_clock,
       ShardStats& stats, Outbox& outbox, const DoorRules& rules, const Status& status,
       const Log& log)
      : clock(the_clock),
        loop(ev_loop_new(EVFLAG_AUTO | EVFLAG_NOENV)),
        shard(shard_settings, the_clock, stats, outbox, [this] { ev_async_send(loop, &wake); }),
        gatekeeper(rules, stats, status, log),
        transients(settings.transients),
        connection_context{
            shard,
            gatekeeper,
            transients,
            stats,
            the_clock,
            log,
            settings.max_client_message,
            Hearing{settings.hello_type, static_cast<std::size_t>(settings.max_client_message),
                    &the_clock, inflate_bounds(shard_settings.speech.rate)},
            settings.handshake_timeout,
            settings.tls,
            LineBudget(kEndLines, the_clock.now()),
            LineBudget(kTlsLines, the_clock.now()),
            [this](Connection& connection) { finish_soon(connection); }},
        sockets({settings.waiting_sockets, settings.waiting_sockets},
                [this] { ev_async_send(loop, &wake); }) {
    lws_set_log_level(0, nullptr);  // what matters of its doings we log ourselves; of all contexts
    ev_async_init(&wake, on_wake);
    ev_timer_init(&timer, on_timer, kTickSeconds, kTickSeconds);
    wake.data = this;
    timer.data = this;
    ev_async_start(loop, &wake);
    ev_timer_start(loop, &timer);
  }

  ~Impl() {
    destroy_context();
    ev_loop_destroy(loop);
  }

  Result<void, std::string> create_context();
  void destroy_context();
  lws_vhost* create_vhost();

  static void on_wake(struct ev_loop*, ev_async* watcher, int) {
    static_cast<Impl*>(watcher->data)->handle_wake();
  }
  static void on_timer(struct ev_loop*, ev_timer* watcher, int) {
    static_cast<Impl*>(watcher->data)->handle_timer();
  }
  void handle_wake();
  void handle_timer();
  bool adopt_sockets();
  void adopt(AcceptedSocket socket);
  void drain();
  void finish_soon(Connection& connection);
  void finish_all();
  void end_overdue();
  void closed(Connection* connection);

  static int on_lws(lws* wsi, lws_callback_reasons reason, void* user, void* in, std::size_t size);
  bool run_shard();
  void serve_if_due();
  int handle(lws* wsi, lws_callback_reasons reason, void* in, std::size_t size);

  const Clock& clock;
  struct ev_loop* const loop;
  ev_async wake;
  ev_timer timer;
  Shard shard;
  Gatekeeper gatekeeper;
  Transients transients;
  ConnectionContext connection_context;
  std::vector<Connection*> finishing;  // null: it is gone already
  Tally connections;
  Mailbox<AcceptedSocket> sockets;
  std::vector<AcceptedSocket> arrived;  // from next_arrived on not adopted yet
  std::size_t next_arrived = 0;
  Connection* adopting = nullptr;            // null again when it ended during its adoption
  std::array<lws_protocols, 2> protocols{};  // libwebsockets writes into it
  lws_context* context = nullptr;
  lws_vhost* vhost = nullptr;
  std::mutex drain_mutex;  // guards the next two
  std::optional<TimePoint> drain_deadline;
  CloseCause drain_cause = CloseCause::relay_stopping;
  TimePoint next_turn{};      // of the shard, while others have theirs
  bool clients_told = false;  // the close frames of the drain are on their way
  std::thread thread;
};

Result<void, std::string> ShardLoop::Impl::create_context() {
  protocols[0] = {"syncrelay", on_lws, 0, 0, 0, this, 0};
  lws_context_creation_info info{};
  void* foreign_loops[] = {loop};
  info.options = LWS_SERVER_OPTION_LIBEV | LWS_SERVER_OPTION_EXPLICIT_VHOSTS;
  info.foreign_loops = foreign_loops;
  info.gid = static_cast<gid_t>(-1);
  info.uid = static_cast<uid_t>(-1);
  info.user = this;
  info.pt_serv_buf_size = kReadBytes;
  info.retry_and_idle_policy = &kNoKeepalive;
  context = lws_create_context(&info);
  if (context == nullptr)
    return std::string(
        "libwebsockets cannot start its event loop (is its libev plugin installed?)");
  vhost = create_vhost();
  if (vhost == nullptr) return std::string("libwebsockets cannot create a vhost");
  return {};
}

void ShardLoop::Impl::destroy_context() {
  if (context != nullptr) lws_context_destroy(std::exchange(context, nullptr));
}

lws_vhost* ShardLoop::Impl::create_vhost() {
  lws_context_creation_info info{};
  info.vhost_name = "syncrelay";
  info.port = CONTEXT_PORT_NO_LISTEN_SERVER;
  info.protocols = protocols.data();
  info.retry_and_idle_policy = &kNoKeepalive;
  return lws_create_vhost(context, &info);
}

void ShardLoop::Impl::handle_wake() {
  const bool more_sockets = adopt_sockets();
  const bool more_updates = run_shard();
  finish_all();
  if (more_sockets || more_updates) ev_async_send(loop, &wake);
}

void ShardLoop::Impl::handle_timer() {
  shard.tick();
  end_overdue();
  finish_all();
  const std::lock_guard lock(drain_mutex);
  if (!drain_deadline) return;
  timer.repeat = kDrainTickSeconds;
  ev_timer_again(loop, &timer);
  drain();
}

// Some at a time, so that a crowd that comes at once is served as it comes in. False when there
// were none; only then a new one wakes the loop by itself.
bool ShardLoop::Impl::adopt_sockets() {
  if (next_arrived == arrived.size()) {
    sockets.take(arrived);
    next_arrived = 0;
  }
  const std::size_t begin = next_arrived;
  const std::size_t end = std::min(begin + kAdoptionsPerTurn, arrived.size());
  while (next_arrived < end) adopt(std::move(arrived[next_arrived++]));
  return next_arrived > begin;
}

// From its adoption on a connection belongs to its socket in libwebsockets and ends with it.
void ShardLoop::Impl::adopt(AcceptedSocket socket) {
  adopting =
      new Connection(std::move(socket.address), std::move(socket.counted), connection_context);
  lws_adopt_desc_t info{};
  info.vh = vhost;
  info.type = LWS_ADOPT_SOCKET;
  info.fd.sockfd = socket.fd.release();  // it closes the descriptor itself when it fails
  info.vh_prot_name = protocols[0].name;
  info.opaque = adopting;
  if (lws_adopt_descriptor_vhost_via_info(&info) == nullptr) closed(adopting);
  adopting = nullptr;
}

void ShardLoop::Impl::closed(Connection* connection) {
  if (connection == nullptr) return;
  if (connection == adopting) adopting = nullptr;
  if (connection->finish_slot) finishing[*connection->finish_slot] = nullptr;
  delete connection;
}

void ShardLoop::Impl::finish_soon(Connection& connection) {
  if (connection.finish_slot) return;
  connection.finish_slot = static_cast<std::uint32_t>(finishing.size());
  finishing.push_back(&connection);
  ev_async_send(loop, &wake);
}

void ShardLoop::Impl::finish_all() {
  for (std::size_t index = 0; index < finishing.size(); ++index) {
    Connection* const connection = finishing[index];
    if (connection == nullptr) continue;
    connection->finish_slot.reset();
    if (!connection->finish())
      lws_set_timeout(connection->wsi(), PENDING_TIMEOUT_USER_OK, LWS_TO_KILL_SYNC);
  }
  finishing.clear();
}

void ShardLoop::Impl::end_overdue() {
  for (Transient* overdue : transients.overdue(clock.now())) {
    auto& connection = static_cast<Connection&>(*overdue);
    connection.give_up(RefusalReason::handshake);
    finish_soon(connection);
  }
}

// Called at every tick of the drain.
void ShardLoop::Impl::drain() {
  const TimePoint now = clock.now();
  const bool more = shard.run();
  if (!clients_told && ((!more && shard.drained()) || now >= *drain_deadline)) {
    shard.close_all(drain_cause);
    clients_told = true;
    drain_deadline = now + kCloseGrace;
  }
  finish_all();
  if (clients_told && (connections.count() == 0 || now >= *drain_deadline))
    ev_break(loop, EVBREAK_ALL);
}

int ShardLoop::Impl::on_lws(lws* wsi, lws_callback_reasons reason, void*, void* in,
                            std::size_t size) {
  const lws_protocols* protocol = lws_get_protocol(wsi);
  if (protocol == nullptr || protocol->user == nullptr) return 0;
  return static_cast<Impl*>(protocol->user)->handle(wsi, reason, in, size);
}

bool ShardLoop::Impl::run_shard() {
  const TimePoint begin = clock.now();
  const bool more = shard.run();
  const TimePoint end = clock.now();
  next_turn = end + std::max(kTurnTime, end - begin);
  return more;
}

// What comes from one connection can keep the loop for milliseconds (a step of a TLS handshake,
// deflated messages, records without end), and any number of connections may be ready at once:
// events go in between, for half of the time at most. As long as nothing waits for the shard no
// clock is read.
void ShardLoop::Impl::serve_if_due() {
  if (!ev_async_pending(&wake) || clock.now() < next_turn) return;
  if (run_shard()) ev_async_send(loop, &wake);
}

// What is returned: -1 has libwebsockets close the socket.
int ShardLoop::Impl::handle(lws* wsi, lws_callback_reasons reason, void* in, std::size_t size) {
  auto* const connection = static_cast<Connection*>(lws_get_opaque_user_data(wsi));
  bool stays = true;
  switch (reason) {
    case LWS_CALLBACK_RAW_ADOPT:
      connection->opened(wsi);
      return 0;
    case LWS_CALLBACK_RAW_RX:
      stays = connection->received({static_cast<std::byte*>(in), size});
      break;
    case LWS_CALLBACK_RAW_WRITEABLE:
      stays = connection->writeable();
      break;
    case LWS_CALLBACK_RAW_CLOSE:
      lws_set_opaque_user_data(wsi, nullptr);
      closed(connection);
      return 0;
    default:
      return 0;
  }
  serve_if_due();
  return stays ? 0 : -1;
}

ShardLoop::ShardLoop(const Settings& settings, const Shard::Settings& shard, const Clock& clock,
                     ShardStats& stats, Outbox& outbox, const DoorRules& rules,
                     const Status& status, const Log& log)
    : impl_(std::make_unique<Impl>(settings, shard, clock, stats, outbox, rules, status, log)) {}

ShardLoop::~ShardLoop() = default;

Result<void, std::string> ShardLoop::start() {
  if (auto created = impl_->create_context(); !created) return created;
  impl_->thread = std::thread([this] {
    ev_run(impl_->loop, 0);
    impl_->sockets.close();
    impl_->shard.letters().close();
  });
  return {};
}

void ShardLoop::restore(const Restored& restored) {
  impl_->shard.restore(restored);
}

Mailbox<Letter>& ShardLoop::letters() {
  return impl_->shard.letters();
}

void ShardLoop::adopt(Descriptor fd, std::string address) {
  impl_->sockets.post({std::move(fd), std::move(address), Tally::Unit(impl_->connections)});
}

std::uint32_t ShardLoop::connections() const {
  return impl_->connections.count();
}

void ShardLoop::begin_drain(TimePoint deadline, CloseCause cause) {
  const std::lock_guard lock(impl_->drain_mutex);
  impl_->drain_cause = cause;
  impl_->drain_deadline = deadline;
}

void ShardLoop::join() {
  if (impl_->thread.joinable()) impl_->thread.join();
  impl_->destroy_context();
}

}  // namespace syncrelay
