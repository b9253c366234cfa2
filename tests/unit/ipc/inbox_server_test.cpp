// What clients say, from the outbox of a shard that is played by the test to workers on the control
// socket, and back.

#include <doctest/doctest.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <thread>
#include <vector>
#include <zmq.hpp>

#include "syncrelay/ipc/command_server.h"

namespace syncrelay {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr int kPatience = 20'000;  // milliseconds

// A relay's thread with its sockets, and one shard of which there are only the letters.
class InboxServer {
 public:
  explicit InboxServer(const Inbox::Settings& inbox = {1000, 1 << 20, {1000, seconds(600)}})
      : relay_({{{"radio"}, 1 << 20, 100},
                {1 << 20, 1000},
                {1000, seconds(600)},
                inbox,
                {Duration::zero(), Duration::zero()}},
               clock_, {&mailbox_}, stats, nullptr),
        intake_({1 << 20}, relay_, order_, stats, clock_, log_),
        server_({{"ipc://" + path() + "/c"},
                 "ipc://" + path() + "/o",
                 {0600, ""},
                 1 << 20,
                 "00c0ffee00c0ffee",
                 100,
                 Duration::zero()},
                {relay_, intake_, stats}, {{&shard_stats_}, {&outbox}, wake_}, clock_, log_) {
    const auto bound = server_.bind();
    REQUIRE_MESSAGE(bound.ok(), bound.error());
    server_.start();
  }
  ~InboxServer() {
    stop();
    std::filesystem::remove_all(path());
  }

  void stop() { server_.stop(clock_.now() + seconds(5)); }
  std::string endpoint() const { return server_.control_endpoint(); }

  void say(const std::string& sender, const std::string& ref, const std::string& text = "{}") {
    REQUIRE(outbox.put(Said{Said::Kind::message, 7, sender, "", ref, text}));
  }
  // What the relay wants to hear of, when it does.
  bool wants(WorkerEvent event) const {
    const auto deadline = std::chrono::steady_clock::now() + milliseconds(kPatience);
    while (!outbox.wants(event) && std::chrono::steady_clock::now() < deadline)
      std::this_thread::yield();
    return outbox.wants(event);
  }
  // The relay does not hear of what is put in between.
  void hold() { held_ = true; }
  void let_go() {
    held_ = false;
    wake_.set();
  }
  void connect(std::uint64_t connection, std::int64_t microseconds) {
    Notice notice{WorkerEvent::connected,
                  {microseconds},
                  TimePoint(std::chrono::microseconds(microseconds)),
                  connection,
                  "::1"};
    outbox.put(std::move(notice));
  }
  void disconnect(std::uint64_t connection, const std::string& id) {
    Notice notice{WorkerEvent::disconnected, {1'000'000}, TimePoint(), connection, "", id, 1001};
    notice.duration = milliseconds(12'345);
    outbox.put(std::move(notice));
  }
  void attend(const std::string& id, const std::string& info, std::uint32_t count) {
    outbox.put(Attendance{"room", id, std::make_shared<const std::string>(info), count, false});
  }
  void publish(const std::string& ref, const std::string& command) {
    REQUIRE(outbox.put(Said{Said::Kind::publish, 7, "@a", "", ref, command}));
  }

  // What the shard is to tell, "7 text", and events as "event"; so many.
  std::vector<std::string> told(std::size_t count) {
    std::vector<std::string> told;
    const auto deadline = std::chrono::steady_clock::now() + milliseconds(kPatience);
    std::vector<Letter> letters;
    while (told.size() < count && std::chrono::steady_clock::now() < deadline) {
      mailbox_.take(letters);
      for (const Letter& letter : letters) add(told, letter);
      std::this_thread::yield();
    }
    return told;
  }

  RelayStats stats;
  Outbox outbox{[this] {
    if (!held_) wake_.set();
  }};

 private:
  const std::string& path() {
    if (path_.empty()) {
      char name[] = "/tmp/syncrelay-inbox-XXXXXX";
      path_ = mkdtemp(name);
    }
    return path_;
  }
  static void add(std::vector<std::string>& told, const Letter& letter) {
    if (std::holds_alternative<Update>(letter)) told.emplace_back("event");
    const auto* const notes = std::get_if<std::shared_ptr<const Notes>>(&letter);
    if (notes == nullptr) return;
    for (const Notes::Note& note : (*notes)->notes)
      told.push_back(std::to_string(note.connection) + ' ' + note.message);
  }

  std::string path_;
  SystemClock clock_;
  Log log_{{LogLevel::error, LogFormat::text}};
  Wake wake_;
  std::atomic<bool> held_ = false;
  Mailbox<Letter> mailbox_{{SIZE_MAX, SIZE_MAX}, [] {}};
  ShardStats shard_stats_;
  LocalOrder order_{clock_};
  Relay relay_;
  Intake intake_;
  CommandServer server_;
};

class Worker {
 public:
  explicit Worker(const InboxServer& server) : socket_(context_, zmq::socket_type::dealer) {
    socket_.set(zmq::sockopt::linger, 0);
    socket_.set(zmq::sockopt::rcvtimeo, kPatience);
    socket_.set(zmq::sockopt::sndhwm, 0);
    socket_.connect(server.endpoint());
  }

  void send(const std::string& command) { socket_.send(zmq::buffer(command)); }
  // Without the position that every answer has.
  std::string receive() {
    zmq::message_t answer;
    if (!socket_.recv(answer)) return "no answer";
    const std::string text = answer.to_string();
    const std::size_t clients = text.find(R"("clients":0,)");
    return clients == text.npos ? text : text.substr(clients + 12);
  }
  std::string ask(const std::string& command) {
    send(command);
    return receive();
  }
  // "1 3/2 ": numbers, and attempts behind the first.
  std::string numbers(const std::string& command) {
    const std::string answer = ask(command);
    std::string numbers;
    for (std::size_t at = answer.find(R"({"n":)"); at != answer.npos;
         at = answer.find(R"({"n":)", at + 1)) {
      numbers += std::to_string(std::strtoull(answer.c_str() + at + 5, nullptr, 10));
      const std::size_t attempt = answer.find(R"("attempt":)", at) + 10;
      if (answer[attempt] != '1') numbers.append("/") += answer[attempt];
      numbers += ' ';
    }
    return numbers;
  }

 private:
  zmq::context_t context_;
  zmq::socket_t socket_;
};

using Texts = std::vector<std::string>;

const std::string kAsk = R"({"op":"receive"})";
const std::string kWait = R"({"op":"receive","wait":20,"lease":1})";

std::string ack(const std::string& ref) {
  return R"(7 {"type":"sync:ack","ref":")" + ref + "\"}";
}

TEST_CASE("What a client says comes to a worker that waits, and is acknowledged and done") {
  InboxServer server;
  Worker worker(server);
  CHECK(worker.ask(kAsk) == R"("events":[]})");
  worker.send(kWait);
  server.say("@dev-1", "r", R"({"type":"buy","n":1.50})");
  CHECK(server.told(1) == Texts{ack("r")});
  const std::string answer = worker.receive();
  CHECK(
      answer.find(
          R"("events":[{"n":1,"event":"message","connection":7,"id":"dev-1","channel":"","ts":)") ==
      0);
  CHECK(answer.find(R"(,"attempt":1,"data":{"type":"buy","n":1.50}}]})") != answer.npos);
  CHECK(worker.ask(R"({"op":"extend","n":[1,2],"lease":60})") == R"("extended":1})");
  CHECK(worker.ask(R"({"op":"done","n":[1,2]})") == R"("done":1})");
  CHECK(worker.ask(R"({"op":"done","n":[1]})") == R"("done":0})");
  server.say("@dev-1", "r");
  CHECK(server.told(1) == Texts{ack("r")});
  CHECK(worker.ask(kAsk) == R"("events":[]})");
}

TEST_CASE("Before a backend has ever received, and beyond the bounds, a client hears an error") {
  InboxServer server({1, 1 << 20, {1000, seconds(600)}});
  Worker worker(server);
  server.say("@a", "early");
  CHECK(
      server.told(1) ==
      Texts{
          R"(7 {"type":"sync:error","ref":"early","code":"no_backend","message":"no backend has ever asked for messages"})"});
  CHECK(worker.ask(kAsk) == R"("events":[]})");
  server.say("#7", "");
  server.say("@b", "late");
  const Texts told = server.told(1);
  REQUIRE(told.size() == 1);
  CHECK(told.front().find(R"("ref":"late","code":"inbox_full")") != std::string::npos);
  CHECK(worker.ask(kAsk).find(R"("connection":7,"channel":"")") != std::string::npos);
  CHECK(counter(server.stats.inbox_refused, InboxRefusal::inbox_full).get() == 1);
}

TEST_CASE("Workers are served in the order in which they wait") {
  InboxServer server;
  Worker first(server);
  Worker second(server);
  first.send(kWait);
  CHECK(first.ask(R"({"op":"release","n":[1]})") == R"("released":0})");
  second.send(kWait);
  CHECK(second.ask(R"({"op":"release","n":[1]})") == R"("released":0})");
  server.say("@a", "", R"({"type":"one"})");
  CHECK(first.receive().find(R"({"type":"one"})") != std::string::npos);
  server.say("@b", "", R"({"type":"two"})");
  CHECK(second.receive().find(R"({"type":"two"})") != std::string::npos);
}

TEST_CASE("What is not done when its lease ends goes to who waits, what is released at once") {
  InboxServer server;
  Worker first(server);
  Worker second(server);
  CHECK(first.ask(kAsk) == R"("events":[]})");
  server.say("@a", "");
  server.say("@a", "");
  CHECK(first.numbers(R"({"op":"receive","wait":20,"lease":1,"max":1})") == "1 ");
  CHECK(second.numbers(R"({"op":"receive","wait":20})") == "1/2 2 ");
  CHECK(second.ask(R"({"op":"release","n":[1,2]})") == R"("released":2})");
  CHECK(first.numbers(kWait) == "1/3 2/2 ");
}

TEST_CASE("A worker that is gone before it got something has not had it") {
  InboxServer server;
  {
    Worker gone(server);
    gone.send(kWait);
    CHECK(gone.ask(R"({"op":"release","n":[1]})") == R"("released":0})");
  }
  Worker worker(server);
  server.say("@a", "");
  CHECK(worker.numbers(kWait) == "1 ");
}

TEST_CASE("Workers that are gone take no place for longer than a second") {
  InboxServer server;
  {
    Worker gone(server);
    for (int count = 0; count < 1000; ++count) gone.send(kWait);
    CHECK(gone.ask(kWait).find(R"("code":"busy")") != std::string::npos);
  }
  Worker worker(server);
  const std::string wait = R"({"op":"receive","wait":0.01})";
  const auto deadline = std::chrono::steady_clock::now() + seconds(15);  // their waits take 20 s
  std::string answer = worker.ask(wait);
  while (answer.find("busy") != std::string::npos && std::chrono::steady_clock::now() < deadline)
    answer = worker.ask(wait);
  CHECK(answer == R"("events":[]})");
}

TEST_CASE("Only a thousand workers wait; others hear that it is busy") {
  InboxServer server;
  Worker worker(server);
  for (int count = 0; count < 1000; ++count) worker.send(kWait);
  CHECK(worker.ask(kWait).find(R"("code":"busy")") != std::string::npos);
}

TEST_CASE("A wait ends in time, and at the stop of the relay") {
  InboxServer server;
  Worker worker(server);
  CHECK(worker.ask(R"({"op":"receive","wait":0.05})") == R"("events":[]})");
  worker.send(kWait);
  CHECK(worker.ask(R"({"op":"done","n":[1]})") == R"("done":0})");
  server.stop();
  CHECK(worker.receive() == R"("events":[]})");
}

TEST_CASE("What a client publishes reaches all before it is acknowledged, once for each ref") {
  InboxServer server;
  server.publish("r", R"({"op":"broadcast","type":"t","data":1})");
  CHECK(server.told(2) == Texts{"event", ack("r")});
  server.publish("r", R"({"op":"broadcast","type":"t","data":1})");
  server.publish("s", R"({"op":"broadcast","type":"ping"})");
  const Texts told = server.told(2);
  REQUIRE(told.size() == 2);
  CHECK(told[0] == ack("r"));
  CHECK(told[1].find(R"("ref":"s","code":"reserved_type")") != std::string::npos);
}

TEST_CASE("An answer has at most 4 MiB of messages") {
  InboxServer server({1000, 64 << 20, {1000, seconds(600)}});
  Worker worker(server);
  CHECK(worker.ask(kAsk) == R"("events":[]})");
  const std::string text = "\"" + std::string(1'500'000, 'x') + "\"";
  for (int count = 0; count < 5; ++count) {
    server.say("@a", std::to_string(count), text);
    CHECK(server.told(1).size() == 1);
  }
  CHECK(worker.numbers(kWait) == "1 2 ");
}

const std::string kWaitForAll =
    R"({"op":"receive","wait":20,"events":["message","connected","disconnected","joined","left"]})";

// Without what changes from one run to another.
std::string without_times(std::string text) {
  for (std::size_t at = text.find(R"(,"ts":)"); at != text.npos; at = text.find(R"(,"ts":)"))
    text.erase(at, text.find_first_of(",}", at + 1) - at);
  return text;
}

TEST_CASE("Who comes and goes is told to a worker that asks, notices first, in their order") {
  InboxServer server;
  Worker worker(server);
  CHECK(worker.ask(R"({"op":"receive","events":["message","disconnected"]})") == R"("events":[]})");
  CHECK(server.wants(WorkerEvent::disconnected));
  CHECK_FALSE(server.outbox.wants(WorkerEvent::connected));
  server.say("@dev-1", "r");
  CHECK(server.told(1) == Texts{ack("r")});
  server.disconnect(5, "dev-1");
  server.disconnect(6, "");
  Worker other(server);
  CHECK(other.ask(R"({"op":"receive","events":["joined"],"wait":0.01})") == R"("events":[]})");
  const std::string answer =
      worker.ask(R"({"op":"receive","wait":20,"events":["message","disconnected"],"max":2})");
  CHECK(
      answer ==
      R"("events":[{"event":"disconnected","connection":5,"id":"dev-1","code":1001,"duration":12.345,"ts":1.000000},)"
      R"({"event":"disconnected","connection":6,"code":1001,"duration":12.345,"ts":1.000000}]})");
  CHECK(worker.numbers(kWaitForAll) == "1 ");
}

TEST_CASE("What several shards have seen is in the order of its time") {
  InboxServer server;
  Worker worker(server);
  CHECK(worker.ask(R"({"op":"receive","events":["connected"]})") == R"("events":[]})");
  CHECK(server.wants(WorkerEvent::connected));
  server.hold();
  server.connect(7, 2);
  server.connect(8, 1);
  server.let_go();
  CHECK(worker.ask(kWaitForAll) ==
        R"("events":[{"event":"connected","connection":8,"address":"::1","ts":0.000001},)"
        R"({"event":"connected","connection":7,"address":"::1","ts":0.000002}]})");
}

TEST_CASE("Members are told as the log tells them, and a change of their info is not") {
  InboxServer server;
  Worker worker(server);
  worker.send(kWaitForAll);
  CHECK(server.wants(WorkerEvent::left));
  server.attend("dev-1", R"({"a":1})", 1);
  CHECK(without_times(worker.receive()) ==
        R"("events":[{"event":"joined","channel":"room","id":"dev-1","info":{"a":1}}]})");
  server.attend("dev-1", R"({"a":2})", 1);
  CHECK(server.told(2) == Texts{"event", "event"});
  server.attend("dev-1", R"({"a":2})", 0);
  CHECK(without_times(worker.ask(kWaitForAll)) ==
        R"("events":[{"event":"left","channel":"room","id":"dev-1"}]})");
}

TEST_CASE("Who asks for notices only is no backend, and gets no messages") {
  InboxServer server;
  Worker worker(server);
  CHECK(worker.ask(R"({"op":"receive","events":["left"]})") == R"("events":[]})");
  server.say("@a", "early");
  const Texts told = server.told(1);
  REQUIRE(told.size() == 1);
  CHECK(told.front().find("no_backend") != std::string::npos);
  CHECK(worker.ask(kAsk) == R"("events":[]})");
  server.say("@a", "r");
  CHECK(server.told(1) == Texts{ack("r")});
  CHECK(worker.ask(R"({"op":"receive","events":["left"],"wait":0.01})") == R"("events":[]})");
  CHECK(worker.numbers(kAsk) == "1 ");
}

TEST_CASE("A worker that asks for notices is told how many were lost, once") {
  InboxServer server;
  Worker worker(server);
  CHECK(worker.ask(R"({"op":"receive","events":["connected"]})") == R"("events":[]})");
  CHECK(server.wants(WorkerEvent::connected));
  for (std::uint64_t count = 0; count < Notices::kMax + 3; ++count) server.connect(count, 1);
  CHECK(worker.ask(R"({"op":"release","n":[1]})") == R"("released":0})");
  CHECK(worker.ask(kAsk) == R"("events":[]})");
  const std::string answer = worker.ask(R"({"op":"receive","events":["connected"],"max":1})");
  CHECK(
      answer ==
      R"("events":[{"event":"connected","connection":3,"address":"::1","ts":0.000001}],"notices_dropped":3})");
  CHECK(worker.ask(R"({"op":"receive","events":["connected"],"max":1})").ends_with("}]}"));
  CHECK(server.stats.notices_dropped.get() == 3);
}

}  // namespace
}  // namespace syncrelay
