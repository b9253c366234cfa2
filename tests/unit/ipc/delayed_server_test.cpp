// The sockets of a relay whose order gives letters back later.

#include <doctest/doctest.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>
#include <zmq.hpp>

#include "support/delayed_order.h"
#include "syncrelay/ipc/command_server.h"

namespace syncrelay {
namespace {

using std::chrono::seconds;

constexpr int kPatience = 20'000;  // milliseconds

// A relay's thread with its sockets, one shard of which there are only the letters, and a backend.
class DelayedServer {
 public:
  DelayedServer()
      : relay_({{{}, 1 << 20, 100}, {1 << 20, 1000}, {1000, seconds(600)}}, clock_, {&mailbox_},
               stats_, nullptr),
        intake_({1 << 20}, relay_, order, stats_, clock_, log_),
        settings_{{"ipc://" + path_ + "/c"},
                  "ipc://" + path_ + "/o",
                  {0600, ""},
                  1 << 20,
                  "00c0ffee00c0ffee",
                  100,
                  Duration::zero()} {
    go_on();
    for (zmq::socket_t* const socket : {&push_, &control_}) {
      socket->set(zmq::sockopt::linger, 0);
      socket->set(zmq::sockopt::rcvtimeo, kPatience);
    }
    push_.connect(server_->endpoints().front());
    control_.connect(server_->control_endpoint());
  }
  ~DelayedServer() {
    stop();
    std::filesystem::remove_all(path_);
  }

  // What a server leaves to the next one, and that one, over the same relay.
  void make_way() { waiting_sockets_ = server_->make_way(); }
  void go_on() {
    server_.emplace(settings_, CommandServer::RelayParts{relay_, intake_, stats_}, shards(), clock_,
                    log_, std::move(waiting_sockets_));
    const auto bound = server_->bind();
    REQUIRE_MESSAGE(bound.ok(), bound.error());
    server_->start();
  }
  void stop() { server_->stop(clock_.now() + seconds(10)); }
  void push(const std::string& command) { push_.send(zmq::buffer(command)); }
  void ask(const std::string& command) { control_.send(zmq::buffer(command)); }
  std::string answer() {
    zmq::message_t answer;
    return control_.recv(answer) ? answer.to_string().substr(0, 18) : "no answer";
  }
  // Until so many letters are in the order.
  std::size_t wait_for_submitted(std::size_t count) {
    until([&] { return order.under_way() >= count; });
    return order.under_way();
  }
  // How many events a shard has had, once there are as many.
  std::size_t wait_for_events(std::size_t count) {
    until([&] {
      std::vector<Letter> letters;
      mailbox_.take(letters);
      events_ += letters.size();
      return events_ >= count;
    });
    return events_;
  }

 private:
  static std::string make_path() {
    char name[] = "/tmp/syncrelay-delayed-XXXXXX";
    return mkdtemp(name);
  }
  CommandServer::Shards shards() { return {{&shard_stats_}, {&outbox_}, wake_}; }
  template <typename Condition>
  void until(Condition holds) {
    const TimePoint deadline = clock_.now() + std::chrono::milliseconds(kPatience);
    while (!holds() && clock_.now() < deadline) std::this_thread::yield();
  }

  const std::string path_ = make_path();
  SystemClock clock_;
  Log log_{{LogLevel::error, LogFormat::text}};
  Wake wake_;
  Mailbox<Letter> mailbox_{{SIZE_MAX, SIZE_MAX}, [] {}};
  ShardStats shard_stats_;
  RelayStats stats_;
  Outbox outbox_{[this] { wake_.set(); }};
  std::size_t events_ = 0;

 public:
  testing::DelayedOrder order{[this] { wake_.set(); }};

 private:
  Relay relay_;
  Intake intake_;
  const CommandServer::Settings settings_;
  std::shared_ptr<CommandSockets> waiting_sockets_;
  std::optional<CommandServer> server_;
  zmq::context_t context_;
  zmq::socket_t push_{context_, zmq::socket_type::push};
  zmq::socket_t control_{context_, zmq::socket_type::dealer};
};

const std::string kEvent = R"({"op":"broadcast","type":"e"})";

TEST_CASE("A command is answered when the order has come back with it, behind what others did") {
  DelayedServer server;
  server.ask(kEvent);
  CHECK(server.wait_for_submitted(1) == 1);
  server.order.add_of_another(kEvent);
  CHECK(server.wait_for_events(1) == 1);
  server.order.let_back();
  CHECK(server.answer() == R"({"ok":true,"seq":2)");
  CHECK(server.wait_for_events(2) == 2);
}

TEST_CASE(
    "What nobody waits for stays in its socket until there is room, and queries are answered") {
  DelayedServer server;
  server.order.set_room(Order::Room::answered);
  server.push(kEvent);
  server.ask(R"({"op":"stats"})");
  CHECK(server.answer() == R"({"ok":true,"seq":0)");
  server.ask(kEvent);
  CHECK(server.wait_for_submitted(1) == 1);
  server.order.set_room(Order::Room::all);
  CHECK(server.wait_for_submitted(2) == 2);
  server.order.let_back(2);
  CHECK(server.answer() == R"({"ok":true,"seq":1)");
  CHECK(server.wait_for_events(2) == 2);
}

TEST_CASE("A server that makes way tells who waits, and leaves what comes to the next one") {
  DelayedServer server;
  server.ask(kEvent);
  CHECK(server.wait_for_submitted(1) == 1);
  server.make_way();
  CHECK(server.answer() == R"({"ok":false,"error)");
  server.push(kEvent);
  server.ask(kEvent);
  CHECK(server.order.under_way() == 1);
  server.go_on();
  CHECK(server.wait_for_submitted(3) == 3);
  server.order.let_back(3);
  CHECK(server.answer().starts_with(R"({"ok":true,)"));
  CHECK(server.wait_for_events(3) == 3);
}

TEST_CASE("A worker that waits is let go by a server that makes way") {
  DelayedServer server;
  server.ask(R"({"op":"receive","wait":60})");
  server.ask(R"({"op":"stats"})");
  CHECK(server.answer() == R"({"ok":true,"seq":0)");
  server.make_way();
  CHECK(server.answer() == R"({"ok":true,"seq":0)");
}

TEST_CASE("A stop waits for what somebody waits for") {
  DelayedServer server;
  server.ask(kEvent);
  server.wait_for_submitted(1);
  auto stopped = std::async(std::launch::async, [&] { server.stop(); });
  CHECK(stopped.wait_for(std::chrono::milliseconds(200)) == std::future_status::timeout);
  server.order.let_back();
  CHECK(server.answer() == R"({"ok":true,"seq":1)");
  stopped.get();
}

}  // namespace
}  // namespace syncrelay
