#include "syncrelay/ws/shard_loop.h"

#include <ev.h>
#include <libwebsockets.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <mutex>
#include <optional>
#include <thread>

#include "client_connection.h"
#include "connection_tag.h"
#include "http_desk.h"

namespace syncrelay {
namespace {

constexpr double kTickSeconds = 0.25;
constexpr double kDrainTickSeconds = 0.01;
constexpr std::size_t kWaitingSockets = 1024;
constexpr std::size_t kClientReadBuffer = 128;  // per connection; clients have little to say
constexpr unsigned short kMaxRequestBytes = 16 * 1024;  // with headers; browsers send cookies
constexpr unsigned kMaxSend = 1024 * 1024;  // what libwebsockets hands to the kernel at once
constexpr Duration kCloseGrace = std::chrono::seconds(1);  // for clients to answer the close frame
constexpr std::uint64_t kConnectionsPerShard = 1ULL << 48;

// libwebsockets' own keepalive keeps a sorted list of all connections; hangup 0 turns it off. (ping
// 0 would mean the default policy.)
constexpr lws_retry_bo_t kNoKeepalive = {nullptr, 0, 0, 1, 0, 0};

}  // namespace

struct ShardLoop::Impl {
  Impl(const Settings& loop_settings, const Shard::Settings& shard_settings, const Clock& the_clock,
       ShardStats& the_stats, Admission& the_admission, const Status& the_status,
       const Log& the_log)
      : settings(loop_settings),
        clock(the_clock),
        stats(the_stats),
        admission(the_admission),
        log(the_log),
        http(loop_settings.allowed_origins, the_stats, the_admission, the_status, the_log),
        loop(ev_loop_new(EVFLAG_AUTO | EVFLAG_NOENV)),
        shard(shard_settings, the_clock, the_stats, [this] { ev_async_send(loop, &wake); }),
        sockets({kWaitingSockets, kWaitingSockets}, [this] { ev_async_send(loop, &wake); }),
        next_id(settings.index * kConnectionsPerShard) {
    ev_async_init(&wake, on_wake);
    ev_timer_init(&timer, on_timer, kTickSeconds, kTickSeconds);
    wake.data = this;
    timer.data = this;
    ev_async_start(loop, &wake);
    ev_timer_start(loop, &timer);
  }

  ~Impl() {
    if (context != nullptr) lws_context_destroy(context);
    close_waiting_sockets();
    ev_loop_destroy(loop);
  }

  Result<void, std::string> create_context();
  lws_vhost* create_vhost();

  static void on_wake(struct ev_loop*, ev_async* watcher, int) {
    static_cast<Impl*>(watcher->data)->handle_wake();
  }
  static void on_timer(struct ev_loop*, ev_timer* watcher, int) {
    static_cast<Impl*>(watcher->data)->handle_timer();
  }
  void handle_wake();
  void handle_timer();
  void adopt_sockets();
  void close_waiting_sockets();
  void drain();

  static int on_lws(lws* wsi, lws_callback_reasons reason, void* user, void* in, std::size_t size);
  int handle(lws* wsi, lws_callback_reasons reason, const void* in, std::size_t size);
  void established(ClientConnection& connection);
  int received(ClientConnection& connection, std::string_view bytes);
  int writeable(ClientConnection& connection);
  static CloseCause cause_of_end(lws* wsi, const ClientConnection& connection);
  void closed(ClientConnection& connection, CloseCause cause);
  void destroyed(lws* wsi);
  void log_end(const ClientConnection& connection, CloseCause cause, std::uint16_t code) const;

  const Settings settings;
  const Clock& clock;
  ShardStats& stats;
  Admission& admission;
  const Log& log;
  HttpDesk http;
  struct ev_loop* const loop;
  ev_async wake;
  ev_timer timer;
  Shard shard;
  Mailbox<AcceptedSocket> sockets;
  std::uint64_t next_id;
  std::atomic<std::uint32_t> connections{0};
  std::vector<AcceptedSocket> taken_sockets;
  std::array<lws_protocols, 2> protocols{};  // libwebsockets writes into it
  lws_context* context = nullptr;
  lws_vhost* vhost = nullptr;
  std::mutex drain_mutex;  // guards drain_deadline
  std::optional<TimePoint> drain_deadline;
  bool clients_told = false;  // the close frames of the drain are on their way
  std::thread thread;
};

Result<void, std::string> ShardLoop::Impl::create_context() {
  lws_set_log_level(0, nullptr);  // what matters of its doings we log ourselves
  protocols[0] = {"syncrelay", on_lws, 0, kClientReadBuffer, 0, this, kMaxSend};
  lws_context_creation_info info{};
  void* foreign_loops[] = {loop};
  info.options = LWS_SERVER_OPTION_LIBEV | LWS_SERVER_OPTION_EXPLICIT_VHOSTS;
  info.foreign_loops = foreign_loops;
  info.gid = static_cast<gid_t>(-1);
  info.uid = static_cast<uid_t>(-1);
  info.user = this;
  info.timeout_secs = static_cast<unsigned>(
      std::chrono::ceil<std::chrono::seconds>(settings.handshake_timeout).count());
  info.max_http_header_data = kMaxRequestBytes;
  info.retry_and_idle_policy = &kNoKeepalive;
  context = lws_create_context(&info);
  if (context == nullptr)
    return std::string(
        "libwebsockets cannot start its event loop (is its libev plugin installed?)");
  vhost = create_vhost();
  if (vhost == nullptr) return std::string("libwebsockets cannot create a vhost");
  return {};
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
  adopt_sockets();
  if (shard.run()) ev_async_send(loop, &wake);
}

// libwebsockets runs its timeouts only after an event on one of its descriptors: cancelling its
// service is one.
void ShardLoop::Impl::handle_timer() {
  shard.tick();
  lws_cancel_service(context);
  const std::lock_guard lock(drain_mutex);
  if (!drain_deadline) return;
  timer.repeat = kDrainTickSeconds;
  ev_timer_again(loop, &timer);
  drain();
}

void ShardLoop::Impl::adopt_sockets() {
  sockets.take(taken_sockets);
  for (const AcceptedSocket& socket : taken_sockets) {
    // It closes the descriptor itself when it fails.
    lws* wsi = lws_adopt_socket_vhost(vhost, socket.fd);
    if (wsi == nullptr) {
      connections.fetch_sub(1, std::memory_order_relaxed);
    } else if (socket.role == ListenerRole::admin) {
      mark_as_admin(wsi);
    }
  }
}

void ShardLoop::Impl::close_waiting_sockets() {
  sockets.take(taken_sockets);
  for (const AcceptedSocket& socket : taken_sockets) ::close(socket.fd);
}

// Called at every tick of the drain.
void ShardLoop::Impl::drain() {
  const TimePoint now = clock.now();
  const bool more = shard.run();
  if (!clients_told && ((!more && shard.drained()) || now >= *drain_deadline)) {
    shard.close_all(CloseCause::relay_stopping);
    clients_told = true;
    drain_deadline = now + kCloseGrace;
  }
  if (clients_told && (shard.size() == 0 || now >= *drain_deadline)) ev_break(loop, EVBREAK_ALL);
}

int ShardLoop::Impl::on_lws(lws* wsi, lws_callback_reasons reason, void*, void* in,
                            std::size_t size) {
  const lws_protocols* protocol = lws_get_protocol(wsi);
  if (protocol == nullptr || protocol->user == nullptr) return 0;
  return static_cast<Impl*>(protocol->user)->handle(wsi, reason, in, size);
}

int ShardLoop::Impl::handle(lws* wsi, lws_callback_reasons reason, const void* in,
                            std::size_t size) {
  ClientConnection* connection = nullptr;
  switch (reason) {
    case LWS_CALLBACK_HTTP_CONFIRM_UPGRADE:
      return http.confirm_upgrade(wsi);
    case LWS_CALLBACK_HTTP:
      return http.answer(wsi, {static_cast<const char*>(in), size});
    case LWS_CALLBACK_WSI_DESTROY:
      destroyed(wsi);
      return 0;
    case LWS_CALLBACK_ESTABLISHED:
    case LWS_CALLBACK_RECEIVE:
    case LWS_CALLBACK_RECEIVE_PONG:
    case LWS_CALLBACK_SERVER_WRITEABLE:
    case LWS_CALLBACK_WS_PEER_INITIATED_CLOSE:
    case LWS_CALLBACK_CLOSED:
      connection = client_of(wsi);
      break;
    default:
      return 0;
  }
  if (connection == nullptr) return 0;
  if (reason == LWS_CALLBACK_ESTABLISHED) {
    established(*connection);
  } else if (reason == LWS_CALLBACK_RECEIVE) {
    return received(*connection, {static_cast<const char*>(in), size});
  } else if (reason == LWS_CALLBACK_RECEIVE_PONG) {
    if (connection->session != nullptr) connection->session->received();
  } else if (reason == LWS_CALLBACK_SERVER_WRITEABLE) {
    return writeable(*connection);
  } else if (reason == LWS_CALLBACK_WS_PEER_INITIATED_CLOSE) {
    const auto* code = static_cast<const std::uint8_t*>(in);
    connection->client_code = size >= 2 ? static_cast<std::uint16_t>(code[0] << 8 | code[1])
                                        : static_cast<std::uint16_t>(CloseCode::none);
  } else {
    closed(*connection, cause_of_end(wsi, *connection));
  }
  return 0;
}

void ShardLoop::Impl::established(ClientConnection& connection) {
  connection.session = &shard.add(ConnectionId{++next_id}, connection, connection.request());
  log.debug("client connected", {{"client", next_id}, {"address", connection.address()}});
}

int ShardLoop::Impl::received(ClientConnection& connection, std::string_view bytes) {
  if (connection.session != nullptr) connection.session->received();
  const auto fault = connection.check_message(bytes, settings.max_client_message);
  if (!fault) return 0;
  connection.set_close_frame(*fault);
  return -1;
}

int ShardLoop::Impl::writeable(ClientConnection& connection) {
  if (connection.ended_by) {
    connection.set_close_frame(*connection.ended_by);
    return -1;
  }
  if (connection.session != nullptr) connection.session->writable();
  return 0;
}

// What libwebsockets decides on by itself shows in the close frame that it has prepared.
CloseCause ShardLoop::Impl::cause_of_end(lws* wsi, const ClientConnection& connection) {
  if (connection.ended_by) return *connection.ended_by;
  if (connection.client_code) return CloseCause::client_closed;
  return lws_get_close_length(wsi) >= 2 ? CloseCause::protocol_error : CloseCause::connection_lost;
}

void ShardLoop::Impl::closed(ClientConnection& connection, CloseCause cause) {
  if (connection.session == nullptr) return;  // it was never established
  const std::uint16_t code = cause == CloseCause::client_closed
                                 ? *connection.client_code
                                 : static_cast<std::uint16_t>(info(cause).code);
  stats.closed[static_cast<std::size_t>(cause)][code_index(code)].add();
  log_end(connection, cause, code);
  shard.remove(*connection.session);
  connection.session = nullptr;
}

void ShardLoop::Impl::log_end(const ClientConnection& connection, CloseCause cause,
                              std::uint16_t code) const {
  const std::chrono::duration<double> connected = clock.now() - connection.session->since();
  log.info("client gone", {{"client", connection.session->id().value},
                           {"address", connection.address()},
                           {"reason", info(cause).name},
                           {"code", static_cast<int>(code)},
                           {"seconds", connected.count()},
                           {"bytes", connection.session->bytes_sent()},
                           {"lag", connection.session->lag()}});
}

void ShardLoop::Impl::destroyed(lws* wsi) {
  connections.fetch_sub(1, std::memory_order_relaxed);
  if (is_unmarked(wsi)) counter(stats.refused, RefusalReason::handshake).add();
  const auto connection = take_client(wsi);
  if (!connection) return;
  admission.leave(connection->address());
  closed(*connection, connection->ended_by.value_or(CloseCause::connection_lost));
}

ShardLoop::ShardLoop(const Settings& settings, const Shard::Settings& shard, const Clock& clock,
                     ShardStats& stats, Admission& admission, const Status& status, const Log& log)
    : impl_(std::make_unique<Impl>(settings, shard, clock, stats, admission, status, log)) {}

ShardLoop::~ShardLoop() = default;

Result<void, std::string> ShardLoop::start() {
  if (auto created = impl_->create_context(); !created) return created;
  impl_->thread = std::thread([this] {
    ev_run(impl_->loop, 0);
    impl_->sockets.close();
    impl_->shard.updates().close();
    lws_context_destroy(impl_->context);
    impl_->context = nullptr;
  });
  return {};
}

void ShardLoop::restore(std::span<const Update> updates, Seq last) {
  impl_->shard.restore(updates, last);
}

Mailbox<Update>& ShardLoop::updates() {
  return impl_->shard.updates();
}

void ShardLoop::adopt(const AcceptedSocket& socket) {
  impl_->connections.fetch_add(1, std::memory_order_relaxed);
  if (!impl_->sockets.post(socket)) ::close(socket.fd);
}

std::uint32_t ShardLoop::connections() const {
  return impl_->connections.load(std::memory_order_relaxed);
}

void ShardLoop::begin_drain(TimePoint deadline) {
  const std::lock_guard lock(impl_->drain_mutex);
  impl_->drain_deadline = deadline;
}

void ShardLoop::join() {
  if (impl_->thread.joinable()) impl_->thread.join();
}

}  // namespace syncrelay
