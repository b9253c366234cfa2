#include "syncrelay/ipc/command_server.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <thread>
#include <zmq.hpp>

#include "syncrelay/ipc/lock_file.h"
#include "syncrelay/protocol/command_decoder.h"

namespace syncrelay {
namespace {

using std::chrono::milliseconds;

// A message over --max-command is refused and counted. One this many times larger is not even read: ZeroMQ drops the
// connection, so that nobody can make the relay allocate without limit.
constexpr std::int64_t kUnreadableFactor = 4;
constexpr std::int64_t kMinUnreadableBytes = 64LL * 1024 * 1024;

constexpr milliseconds kQuiet{50};             // sockets that stay empty for so long are empty
constexpr milliseconds kRejectionInterval{1000};  // between two log lines on refused commands

std::string quoted(std::string_view text) {
  constexpr std::size_t kShown = 80;
  std::string shown(text.substr(0, kShown));
  if (text.size() > kShown) shown += "...";
  return shown;
}

}  // namespace

struct CommandServer::Impl {
  Impl(const Settings& server_settings, Relay& the_relay, const Clock& the_clock, const Log& the_log)
      : settings(server_settings),
        relay(the_relay),
        clock(the_clock),
        log(the_log),
        decoder(server_settings.max_command),
        stop_event(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

  ~Impl() { close(stop_event); }

  Result<void, std::string> bind(const std::string& endpoint);
  Result<void, std::string> bind_socket(const std::string& endpoint);
  void run();
  bool stopping() const { return stop_deadline.load() != 0; }
  bool wait(milliseconds timeout);
  bool take_batch();
  bool take(zmq::socket_t& socket);
  void reject(const Rejection& rejection, std::string_view message);

  const Settings settings;
  Relay& relay;
  const Clock& clock;
  const Log& log;
  CommandDecoder decoder;
  int stop_event;
  std::atomic<TimePoint::rep> stop_deadline{0};  // set before stop_event
  zmq::context_t context{1};
  std::vector<LockFile> locks;
  std::vector<zmq::socket_t> sockets;
  std::vector<std::string> endpoints;
  std::vector<zmq::pollitem_t> polled;
  zmq::message_t message;
  TimePoint next_rejection_line{};
  std::uint64_t unlogged_rejections = 0;
  std::thread thread;
};

Result<void, std::string> CommandServer::Impl::bind(const std::string& endpoint) {
  const auto path = ipc_path(endpoint);
  if (!path) return bind_socket(endpoint);
  auto lock = LockFile::acquire(*path + ".lock");
  if (!lock) return lock.error();
  locks.push_back(std::move(lock).value());
  const UmaskScope umask(settings.access.mode);
  if (auto bound = bind_socket(endpoint); !bound) return bound;
  return grant_access(*path, settings.access);
}

Result<void, std::string> CommandServer::Impl::bind_socket(const std::string& endpoint) {
  try {
    zmq::socket_t socket(context, zmq::socket_type::pull);
    const auto max_command = static_cast<std::int64_t>(settings.max_command);
    socket.set(zmq::sockopt::maxmsgsize, std::max(max_command * kUnreadableFactor, kMinUnreadableBytes));
    socket.set(zmq::sockopt::linger, 0);
    socket.bind(endpoint);
    endpoints.push_back(socket.get(zmq::sockopt::last_endpoint));
    sockets.push_back(std::move(socket));
  } catch (const zmq::error_t& error) {
    return "cannot bind " + endpoint + ": " + error.what();
  }
  return {};
}

void CommandServer::Impl::run() {
  do {
    while (!stopping() && take_batch()) {
    }
  } while (!stopping() && wait(milliseconds(-1)));
  while (clock.now().time_since_epoch().count() < stop_deadline.load() && (take_batch() || wait(kQuiet))) {
  }
  relay.publish();
}

// Waits for a command. While running: false when it is time to stop. While stopping: false when none came.
bool CommandServer::Impl::wait(milliseconds timeout) {
  polled.clear();
  for (zmq::socket_t& socket : sockets) polled.push_back({socket.handle(), 0, ZMQ_POLLIN, 0});
  if (timeout.count() < 0) polled.push_back({nullptr, stop_event, ZMQ_POLLIN, 0});
  const int ready = zmq::poll(polled.data(), polled.size(), timeout);
  return timeout.count() < 0 ? polled.back().revents == 0 : ready > 0;
}

// Applies commands until the batch is full or the sockets are empty, taking turns between the sockets. False when there
// was none.
bool CommandServer::Impl::take_batch() {
  bool any = false;
  bool more = true;
  while (more && !relay.batch_full()) {
    more = false;
    for (zmq::socket_t& socket : sockets) more = take(socket) || more;
    any = any || more;
  }
  relay.publish();
  return any;
}

// One command, if there is one.
bool CommandServer::Impl::take(zmq::socket_t& socket) {
  if (!socket.recv(message, zmq::recv_flags::dontwait)) return false;
  if (message.more()) {
    while (message.more() && socket.recv(message, zmq::recv_flags::none)) {
    }
    reject({RejectReason::multipart, 0, "a command is a single frame"}, {});
    return true;
  }
  const std::string_view text(static_cast<const char*>(message.data()), message.size());
  const Result<const Command*, Rejection> command = decoder.decode(text);
  if (!command) {
    reject(command.error(), text);
    return true;
  }
  if (const auto applied = relay.apply(*command.value()); !applied) reject(applied.error(), text);
  return true;
}

void CommandServer::Impl::reject(const Rejection& rejection, std::string_view text) {
  relay.count(rejection.reason);
  ++unlogged_rejections;
  const TimePoint now = clock.now();
  if (now < next_rejection_line) return;
  next_rejection_line = now + kRejectionInterval;
  log.warning("command refused", {{"reason", name(rejection.reason)},
                                  {"detail", rejection.detail},
                                  {"offset", static_cast<std::uint64_t>(rejection.offset)},
                                  {"command", quoted(text)},
                                  {"refused_since_last_line", unlogged_rejections}});
  unlogged_rejections = 0;
}

CommandServer::CommandServer(const Settings& settings, Relay& relay, const Clock& clock, const Log& log)
    : impl_(std::make_unique<Impl>(settings, relay, clock, log)) {}

CommandServer::~CommandServer() = default;

Result<void, std::string> CommandServer::bind() {
  for (const std::string& endpoint : impl_->settings.endpoints) {
    if (auto bound = impl_->bind(endpoint); !bound) return bound;
  }
  return {};
}

const std::vector<std::string>& CommandServer::endpoints() const { return impl_->endpoints; }

void CommandServer::start() {
  impl_->thread = std::thread([this] { impl_->run(); });
}

void CommandServer::stop(TimePoint deadline) {
  if (!impl_->thread.joinable()) return;
  impl_->stop_deadline.store(deadline.time_since_epoch().count());
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = write(impl_->stop_event, &one, sizeof one);
  impl_->thread.join();
}

}  // namespace syncrelay
