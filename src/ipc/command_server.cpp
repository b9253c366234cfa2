#include "syncrelay/ipc/command_server.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <optional>
#include <thread>
#include <zmq.hpp>

#include "command_sockets.h"
#include "control_desk.h"
#include "syncrelay/base/crash_point.h"
#include "syncrelay/relay/gather_rule.h"

namespace syncrelay {
namespace {

using std::chrono::milliseconds;

constexpr int kMaxTurns = 1024;
constexpr milliseconds kGatherStep{1};  // ZeroMQ polls in milliseconds
constexpr milliseconds kQuiet{50};      // sockets that stay empty for so long are empty
constexpr milliseconds kLateness{500};  // for what was sent before a stop and lies with its sender
constexpr milliseconds kLookInterval{1000};  // connections end without telling the relay's thread
constexpr Duration kRefusalInterval = std::chrono::minutes(1);  // between two on refused peers

}  // namespace

struct CommandServer::Impl {
  Impl(const Settings& server_settings, const RelayParts& the_relay, Shards the_shards,
       const Clock& the_clock, const Log& the_log, std::shared_ptr<CommandSockets> sockets_before)
      : settings(server_settings),
        relay(the_relay.relay),
        intake(the_relay.intake),
        relay_stats(the_relay.stats),
        shards(std::move(the_shards)),
        clock(the_clock),
        log(the_log),
        gather(server_settings.gather),
        wake(shards.wake),
        place(sockets_before ? std::move(sockets_before)
                             : std::make_shared<CommandSockets>(
                                   settings, clock, log, [&woken = wake] { woken.set(); })) {}

  Result<void, std::string> bind_all();
  void look_at_peers();
  void run();
  void take_until_quiet(TimePoint deadline);
  void take_leave(TimePoint deadline);
  void hang_up();
  void make_way();
  bool stopping() const { return making_way || stop_deadline.load() != 0; }
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
  std::atomic<bool> making_way{false};           // for another one, which gets the sockets
  std::shared_ptr<CommandSockets> place;
  PeerGate& gate = place->gate;
  std::optional<KeyDesk>& keys = place->keys;
  std::vector<zmq::socket_t>& sockets = place->sockets;
  std::unique_ptr<ControlDesk> desk;
  std::vector<zmq::pollitem_t> polled;
  zmq::message_t message;
  TimePoint next_refusal_line{};
  bool tends_first = true;  // before commands are taken: what is due may fill batch after batch
  TimePoint next_look{};
  std::thread thread;
};

Result<void, std::string> CommandServer::Impl::bind_all() {
  if (!place->control) {
    if (auto bound = place->bind(settings); !bound) return bound;
  }
  desk = std::make_unique<ControlDesk>(
      *place->control,
      ControlDesk::Sources{relay, intake, relay_stats, shards.stats, shards.outboxes, gate,
                           settings.epoch, clock, settings.presence, settings.cluster,
                           settings.errands, settings.limits, &place->endpoints});
  return {};
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
               {"room_for_each_socket", std::uint64_t{place->max_connections()}},
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
  if (making_way) return make_way();
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
  place->close();
}

// What was taken is decided or unknown, and everybody who waits is told so; what was not, and what
// backends send from now on, is the next one's.
void CommandServer::Impl::make_way() {
  intake.give_up_waiting();
  publish_batch();
  desk->end_receivers();
  desk->refuse_queries();
  desk->close_door();
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
                             const Clock& clock, const Log& log,
                             std::shared_ptr<CommandSockets> sockets)
    : impl_(std::make_unique<Impl>(settings, relay, std::move(shards), clock, log,
                                   std::move(sockets))) {}

CommandServer::~CommandServer() = default;

Result<void, std::string> CommandServer::bind() {
  return impl_->bind_all();
}

const std::vector<std::string>& CommandServer::endpoints() const {
  return impl_->place->endpoints;
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

std::shared_ptr<CommandSockets> CommandServer::make_way() {
  if (impl_->thread.joinable()) {
    impl_->making_way = true;
    impl_->wake.set();
    impl_->thread.join();
  }
  return impl_->place;
}

}  // namespace syncrelay
