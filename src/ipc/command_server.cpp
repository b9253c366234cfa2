#include "syncrelay/ipc/command_server.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstring>
#include <optional>
#include <thread>
#include <zmq.hpp>

#include "control_desk.h"
#include "key_desk.h"
#include "syncrelay/base/crash_point.h"
#include "syncrelay/ipc/lock_file.h"
#include "syncrelay/ipc/peer_gate.h"
#include "syncrelay/relay/gather_rule.h"

namespace syncrelay {
namespace {

using std::chrono::milliseconds;

// A message over --max-command is refused and counted. One this many times larger is not even read:
// ZeroMQ drops the connection, so that nobody can make the relay allocate without limit.
constexpr std::int64_t kUnreadableFactor = 4;
constexpr std::int64_t kMinUnreadableBytes = 64LL * 1024 * 1024;

constexpr int kMaxTurns = 1024;
constexpr milliseconds kGatherStep{1};  // ZeroMQ polls in milliseconds
constexpr milliseconds kQuiet{50};      // sockets that stay empty for so long are empty
constexpr milliseconds kLateness{500};  // for what was sent before a stop and lies with its sender
constexpr milliseconds kLookInterval{1000};  // connections end without telling the relay's thread
constexpr Duration kRefusalInterval = std::chrono::minutes(1);  // between two on refused peers

// Commands that lie in memory and nobody has taken, by weight. ZeroMQ's own bound is off: it counts
// messages, and a peer that closes while it is at that bound loses what the kernel still holds of
// it.
constexpr std::uint64_t kWaitingBytes = 16ULL * 1024 * 1024;
constexpr int kNoHighWaterMark = 0;

constexpr std::uint64_t kUnfinishedMessages = 4;  // of the largest, on all connections together

constexpr milliseconds kHandshake{10'000};  // time for a peer to say that it speaks ZeroMQ

// Returns the listening socket's descriptor, which ZeroMQ tells only to a monitor.
// `number` is another one each time.
int bind_and_tell(zmq::context_t& context, zmq::socket_t& socket, const std::string& endpoint,
                  std::size_t number) {
  const std::string name = "inproc://listening-" + std::to_string(number);
  if (zmq_socket_monitor(socket.handle(), name.c_str(), ZMQ_EVENT_LISTENING) != 0)
    throw zmq::error_t();
  zmq::socket_t monitor(context, zmq::socket_type::pair);
  monitor.connect(name);
  socket.bind(endpoint);
  zmq::message_t event;
  zmq::message_t where;
  if (!monitor.recv(event) || !monitor.recv(where)) throw zmq::error_t();
  zmq_socket_monitor(socket.handle(), nullptr, 0);
  std::int32_t descriptor = -1;
  std::memcpy(&descriptor, event.data<char>() + sizeof(std::uint16_t), sizeof descriptor);
  return descriptor;
}

}  // namespace

struct CommandServer::Impl {
  Impl(const Settings& server_settings, const RelayParts& the_relay, Shards the_shards,
       const Clock& the_clock, const Log& the_log)
      : settings(server_settings),
        relay(the_relay.relay),
        intake(the_relay.intake),
        relay_stats(the_relay.stats),
        shards(std::move(the_shards)),
        clock(the_clock),
        log(the_log),
        gather(server_settings.gather),
        wake(shards.wake),
        gate(bounds(), the_clock, [this] { wake.set(); }) {
    if (settings.curve_clients != nullptr)
      keys.emplace(context, *settings.curve_clients, clock, log);
  }

  Result<void, std::string> bind_all();
  template <typename Bind>
  Result<void, std::string> bind(const std::string& endpoint, Bind bind_socket);
  void bind_pull(const std::string& endpoint);
  void bind_control(const std::string& endpoint);
  std::int64_t unreadable_bytes() const;
  PeerGate::Bounds bounds() const;
  void listen(zmq::socket_t& socket, const std::string& endpoint, PeerGate::Answers answers);
  void look_at_peers();
  void run();
  void take_until_quiet(TimePoint deadline);
  void take_leave(TimePoint deadline);
  void hang_up();
  bool stopping() const { return stop_deadline.load() != 0; }
  milliseconds until_tending() const;
  bool wait(milliseconds timeout);
  bool take_batch();
  bool take_said();
  void publish_batch();
  void gather_more();
  bool take_all();
  bool take(std::size_t index);

  const Settings settings;
  Relay& relay;
  Intake& intake;
  RelayStats& relay_stats;
  const Shards shards;
  const Clock& clock;
  const Log& log;
  GatherRule gather;
  Wake& wake;                                    // something besides a socket wants attention
  std::atomic<TimePoint::rep> stop_deadline{0};  // not 0: the server is stopping
  PeerGate gate;
  zmq::context_t context{1};  // one I/O thread: see PeerGate
  std::vector<LockFile> locks;
  std::optional<KeyDesk> keys;  // none: nobody is asked for a key
  std::vector<zmq::socket_t> sockets;
  std::unique_ptr<ControlDesk> desk;
  std::vector<std::string> endpoints;
  std::vector<zmq::pollitem_t> polled;
  zmq::message_t message;
  TimePoint next_refusal_line{};
  bool tends_first = true;  // before commands are taken: what is due may fill batch after batch
  TimePoint next_look{};
  std::thread thread;
};

Result<void, std::string> CommandServer::Impl::bind_all() {
  if (keys && zmq_has("curve") == 0)
    return std::string("--curve-key cannot be used: this ZeroMQ is built without CURVE");
  for (const std::string& endpoint : settings.endpoints) {
    if (auto bound = bind(endpoint, [&] { bind_pull(endpoint); }); !bound) return bound;
  }
  return bind(settings.control, [this] { bind_control(settings.control); });
}

template <typename Bind>
Result<void, std::string> CommandServer::Impl::bind(const std::string& endpoint, Bind bind_socket) {
  const auto path = ipc_path(endpoint);
  if (path) {
    auto lock = LockFile::acquire(*path + ".lock");
    if (!lock) return lock.error();
    locks.push_back(std::move(lock).value());
  }
  const UmaskScope umask(path ? settings.access.mode : 0777);
  try {
    bind_socket();
  } catch (const zmq::error_t& error) {
    return "cannot bind " + endpoint + ": " + error.what();
  }
  return path ? grant_access(*path, settings.access) : Result<void, std::string>();
}

std::int64_t CommandServer::Impl::unreadable_bytes() const {
  return std::max(static_cast<std::int64_t>(settings.max_command) * kUnreadableFactor,
                  kMinUnreadableBytes);
}

void CommandServer::Impl::bind_pull(const std::string& endpoint) {
  zmq::socket_t socket(context, zmq::socket_type::pull);
  socket.set(zmq::sockopt::maxmsgsize, unreadable_bytes());
  socket.set(zmq::sockopt::linger, 0);
  listen(socket, endpoint, PeerGate::Answers::none);
  endpoints.push_back(socket.get(zmq::sockopt::last_endpoint));
  sockets.push_back(std::move(socket));
}

void CommandServer::Impl::bind_control(const std::string& endpoint) {
  desk = std::make_unique<ControlDesk>(
      context, unreadable_bytes(),
      ControlDesk::Sources{relay, intake, relay_stats, shards.stats, shards.outboxes, gate,
                           settings.epoch, clock, settings.presence, settings.errands,
                           settings.limits, &endpoints});
  listen(desk->socket(), endpoint, PeerGate::Answers::each);
}

PeerGate::Bounds CommandServer::Impl::bounds() const {
  const auto listeners = static_cast<std::uint32_t>(settings.endpoints.size() + 1);
  return {std::max(settings.max_connections / listeners, 1U), kWaitingBytes,
          static_cast<std::uint64_t>(unreadable_bytes()),
          static_cast<std::uint64_t>(unreadable_bytes()) * kUnfinishedMessages};
}

void CommandServer::Impl::listen(zmq::socket_t& socket, const std::string& endpoint,
                                 PeerGate::Answers answers) {
  socket.set(zmq::sockopt::rcvhwm, kNoHighWaterMark);
  socket.set(zmq::sockopt::handshake_ivl, static_cast<int>(kHandshake.count()));
  const bool secured = keys && !ipc_path(endpoint);
  if (secured) KeyDesk::secure(socket, settings.curve_key);
  gate.watch(
      answers, [&] { return bind_and_tell(context, socket, endpoint, endpoints.size()); },
      secured ? ZmtpMeter::Mechanism::curve : ZmtpMeter::Mechanism::none);
}

// Who sees refusals counted sees the connections that took the room: they are asked for after the
// refusals, and shown before them.
void CommandServer::Impl::look_at_peers() {
  const std::uint64_t refused = gate.refused();
  relay_stats.command_connections.set(gate.connections());
  relay_stats.command_connections_cut_off.set(gate.cut_off());
  const bool more = refused > relay_stats.command_connections_refused.get();
  relay_stats.command_connections_refused.set(refused);
  const TimePoint now = clock.now();
  next_look = now + kLookInterval;
  desk->forget_gone_receivers();
  desk->look_at_traffic();
  if (keys) keys->look_after(gate, relay_stats);
  if (!more || now < next_refusal_line) return;
  next_refusal_line = now + kRefusalInterval;
  log.warning("connections to the command sockets refused",
              {{"connections", relay_stats.command_connections.get()},
               {"room_for_each_socket", std::uint64_t{bounds().connections}},
               {"refused", refused}});
}

// How long there is nothing to do, unless something comes.
milliseconds CommandServer::Impl::until_tending() const {
  if (desk->has_backup()) return milliseconds(0);
  milliseconds until = kLookInterval;
  for (const auto& next : {intake.next_tending(), desk->next_service()}) {
    if (next) until = std::min(until, std::chrono::ceil<milliseconds>(*next - clock.now()));
  }
  return std::max(until, milliseconds(0));
}

void CommandServer::Impl::run() {
  if (!PeerGate::in_force()) log.warning("connections to the command sockets are not bounded");
  while (!stopping()) {
    if (clock.now() >= next_look) look_at_peers();
    const bool any = take_batch();
    desk->serve_receivers();
    if (!any) wait(until_tending());
  }
  const TimePoint deadline{Duration(stop_deadline.load())};
  desk->read_outboxes();
  desk->hear_no_clients();
  take_until_quiet(std::min(deadline, clock.now() + kLateness));
  take_leave(std::min(deadline, clock.now() + kLateness));
  gate.close_to_news();
  take_until_quiet(deadline);
  hang_up();
}

// Takes what backends send until they have noticed that this is the end.
void CommandServer::Impl::take_leave(TimePoint deadline) {
  gate.take_leave();
  while (gate.leaving() > 0 && clock.now() < deadline) {
    if (!take_batch()) wait(kGatherStep);
  }
}

// Who is connected sees the end now, and keeps what it has for the next relay: nobody would read it
// any more while clients are still written to. The last answers go out all the same: workers that
// wait for messages hear that there are none.
void CommandServer::Impl::hang_up() {
  desk->end_receivers();
  desk->close_door();
  for (zmq::socket_t& socket : sockets) socket.close();
  desk->socket().close();
}

// What shards have to say does not keep it going: clients may say something all the time.
void CommandServer::Impl::take_until_quiet(TimePoint deadline) {
  TimePoint quiet_at = clock.now() + kQuiet;
  while (clock.now() < std::min(quiet_at, deadline)) {
    if (take_batch() || wait(kQuiet) || intake.expects_letters()) quiet_at = clock.now() + kQuiet;
  }
}

// Waits for a command, where there is room for one in the order, or for wake. False when no command
// came in time.
bool CommandServer::Impl::wait(milliseconds timeout) {
  polled.clear();
  if (intake.has_room()) {
    for (zmq::socket_t& socket : sockets) polled.push_back({socket.handle(), 0, ZMQ_POLLIN, 0});
  }
  polled.push_back({desk->socket().handle(), 0, ZMQ_POLLIN, 0});
  if (keys) polled.push_back({keys->socket().handle(), 0, ZMQ_POLLIN, 0});
  polled.push_back({nullptr, wake.fd(), ZMQ_POLLIN, 0});
  const int ready = zmq::poll(polled.data(), polled.size(), timeout);
  if (polled.back().revents == 0) return ready > 0;
  wake.clear();
  return ready > 1;
}

// Applies what has come by the order and what clients have said, then commands until the batch is
// full or the sockets are empty, then publishes and answers. False when there was nothing to do.
bool CommandServer::Impl::take_batch() {
  if (keys) keys->serve(gate);
  desk->read_outboxes();
  desk->go_on_with_backup();
  bool any = intake.take_ordered();
  any = (tends_first && intake.tend()) || any;
  any = take_said() || any;
  any = take_all() || any;
  if (!tends_first) any = intake.tend() || any;
  tends_first = !tends_first;
  if (!any) return false;
  gather_more();
  publish_batch();
  return true;
}

// What clients have said; all but the last batch of it is published.
bool CommandServer::Impl::take_said() {
  const bool any = desk->take_said();
  while (desk->has_said()) {
    desk->answer(intake.publish());
    desk->take_said();
  }
  return any;
}

void CommandServer::Impl::publish_batch() {
  const std::uint64_t commands = intake.unanswered();
  std::vector<Reply> replies = intake.publish();
  gather.published(commands, clock.now());
  crash_point("before_answer");
  desk->read_outboxes();
  desk->answer(std::move(replies));
}

void CommandServer::Impl::gather_more() {
  const TimePoint began = clock.now();
  const TimePoint until = began + gather.patience(began);
  while (!intake.batch_full() && !intake.has_waiting() && clock.now() < until && !stopping() &&
         wait(kGatherStep)) {
    take_all();
  }
}

// Empties the sockets, taking turns between them, as far as the batch goes; what stages nothing
// (queries, refused commands) does not go on for ever either. False when they were empty.
bool CommandServer::Impl::take_all() {
  bool any = false;
  bool more = true;
  for (int turn = 0; more && turn < kMaxTurns && !intake.batch_full(); ++turn) {
    more = false;
    const std::uint64_t completed = gate.completed();
    for (std::size_t index = 0; index < sockets.size(); ++index)
      more = (intake.has_room() && take(index)) || more;
    more = desk->take() || more;
    if (!more) gate.found_empty(completed);
    any = any || more;
  }
  return any;
}

// One command, if there is one.
bool CommandServer::Impl::take(std::size_t index) {
  zmq::socket_t& socket = sockets[index];
  if (!socket.recv(message, zmq::recv_flags::dontwait)) return false;
  gate.took(message.size());
  if (keys) KeyDesk::hear(message, gate);
  if (!message.more()) {
    intake.take({static_cast<const char*>(message.data()), message.size()},
                Asker(kNobody, index + 1));
    return true;
  }
  while (message.more() && socket.recv(message, zmq::recv_flags::none)) gate.took(message.size());
  intake.refuse({RejectReason::multipart, 0, "a command is a single frame"}, {}, kNobody);
  return true;
}

CommandServer::CommandServer(const Settings& settings, const RelayParts& relay, Shards shards,
                             const Clock& clock, const Log& log)
    : impl_(std::make_unique<Impl>(settings, relay, std::move(shards), clock, log)) {}

CommandServer::~CommandServer() = default;

Result<void, std::string> CommandServer::bind() {
  return impl_->bind_all();
}

const std::vector<std::string>& CommandServer::endpoints() const {
  return impl_->endpoints;
}

std::string CommandServer::control_endpoint() const {
  return impl_->desk->endpoint();
}

void CommandServer::start() {
  impl_->thread = std::thread([this] { impl_->run(); });
}

void CommandServer::stop(TimePoint deadline) {
  if (!impl_->thread.joinable()) return;
  impl_->stop_deadline.store(deadline.time_since_epoch().count());
  impl_->wake.set();
  impl_->thread.join();
}

}  // namespace syncrelay
