#include "syncrelay/shard/shard.h"

#include <doctest/doctest.h>

#include <utility>

#include "support/session_bench.h"
#include "syncrelay/protocol/limits.h"

namespace syncrelay {
namespace {

using std::chrono::seconds;
using testing::FakeTransport;
using testing::SessionBench;
using testing::TestRelay;
using Texts = std::vector<std::string>;

struct Client {
  FakeTransport transport;
  Session* session = nullptr;

  Texts drain() {
    transport.flow();
    while (transport.waits()) transport.become_writable(*session);
    return transport.take_texts();
  }
};

// A shard with clients, fed by a relay on the same thread.
class ShardBench {
 public:
  explicit ShardBench(EventLog::Bounds window = {1 << 20, 1000})
      : relay(testing::relay_settings(window.bytes)),
        mailbox_bound_(window.bytes / 4),
        shard({{"comparison", "radio"}, window, SessionBench::usual_times(), "e0"}, relay.clock,
              stats, outbox, [this] { ++woken; }) {}
  ~ShardBench() {
    for (const auto& client : clients) {
      if (client->session != nullptr) shard.remove(*client->session);
    }
  }

  Client& connect(const ClientRequest& request = {}) {
    clients.push_back(std::make_unique<Client>());
    Client& client = *clients.back();
    client.session = &shard.add(ConnectionId{clients.size()}, client.transport, request);
    return client;
  }

  Client& join() {
    Client& client = connect();
    client.transport.take_messages();
    return client;
  }

  void remove(Client& client) {
    shard.remove(*client.session);
    client.session = nullptr;
  }

  // Posts what the command did; the shard takes it in when it runs, or now when its mailbox is
  // full.
  void send(std::string_view json) {
    REQUIRE(relay.send(json).ok());
    for (const Update& update : relay.take_updates()) {
      if (posted_ >= mailbox_bound_) run();
      posted_ += weight(update);
      shard.letters().post(update);
    }
  }
  // A state value of this size, taken in at once.
  void set(const std::string& key, std::size_t bytes) {
    send(R"({"op":"set","notify":false,"key":")" + key + R"(","value":")" +
         std::string(bytes, 'v') + "\"}");
    run();
  }
  void broadcast(std::size_t bytes = 1) {
    send(R"({"op":"broadcast","type":"e","data":")" + std::string(bytes, 'x') + "\"}");
  }
  void run() {
    while (run_once()) {
    }
  }
  bool run_once() {
    posted_ = 0;
    return shard.run();
  }

  // With its ticks.
  void run_for(Duration time) {
    constexpr Duration kTick = std::chrono::milliseconds(250);
    for (; time > Duration::zero(); time -= kTick) {
      relay.clock.advance(kTick);
      shard.tick();
    }
  }

  TestRelay relay;
  ShardStats stats;
  Outbox outbox{[] {}};
  int woken = 0;

 private:
  const std::uint64_t mailbox_bound_;
  std::uint64_t posted_ = 0;  // weight of what waits at most

 public:
  Shard shard;
  std::vector<std::unique_ptr<Client>> clients;
};

TEST_CASE_FIXTURE(ShardBench, "A new client has its first message when add() returns") {
  Client& client = connect();
  CHECK(client.transport.take_texts() == Texts{SessionBench::snapshot(0)});
  CHECK(stats.accepted.get() == 1);
  CHECK(stats.clients.get() == 1);
  CHECK(shard.size() == 1);
}

TEST_CASE_FIXTURE(ShardBench, "An update reaches every client, and the shard is woken for it") {
  for (int count = 0; count < 40; ++count) join();
  broadcast();
  CHECK(woken == 1);
  CHECK_FALSE(shard.run());
  for (const auto& client : clients)
    CHECK(client->transport.take_texts() == Texts{SessionBench::event(1)});
}

TEST_CASE_FIXTURE(ShardBench,
                  "An update that is not taken in yet is neither in a snapshot nor lost") {
  broadcast();
  send(R"({"op":"set","notify":false,"key":"radio","value":1})");
  Client& client = connect();
  CHECK(client.transport.take_texts() == Texts{SessionBench::snapshot(0)});
  run();
  CHECK(client.transport.take_texts() == Texts{SessionBench::event(1)});
  CHECK(connect().transport.take_texts() ==
        Texts{SessionBench::snapshot(1, R"({"comparison":null,"radio":1})")});
}

TEST_CASE_FIXTURE(ShardBench, "Any client may go, and the others go on") {
  for (int count = 0; count < 5; ++count) join();
  for (const std::size_t index : {std::size_t{4}, std::size_t{0}, std::size_t{2}})
    remove(*clients[index]);
  CHECK(shard.size() == 2);
  CHECK(stats.clients.get() == 2);
  broadcast();
  run();
  CHECK(clients[1]->transport.take_texts() == Texts{SessionBench::event(1)});
  CHECK(clients[3]->transport.take_texts() == Texts{SessionBench::event(1)});
  remove(*clients[1]);
  remove(*clients[3]);
  CHECK(shard.size() == 0);
}

TEST_CASE_FIXTURE(ShardBench, "A slow client does not delay the others") {
  Client& slow = join();
  Client& quick = join();
  slow.transport.stall();
  for (int count = 0; count < 50; ++count) {
    broadcast();
    run();
  }
  CHECK(quick.transport.take_texts().size() == 50);
  CHECK(slow.transport.take_texts().empty());
  CHECK(slow.drain().size() == 50);
}

TEST_CASE("A client that keeps up never skips, even when one event is larger than the window") {
  ShardBench bench({10'000, 20});
  for (int count = 0; count < 40; ++count) bench.join();
  std::size_t sent = 0;
  for (int round = 0; round < 20; ++round) {
    for (const std::size_t size : {std::size_t{1}, std::size_t{2'000}, std::size_t{30'000},
                                   std::size_t{3'400}, std::size_t{9'900}}) {
      bench.broadcast(size);
      ++sent;
      if (sent % 3 != 0) bench.run();
    }
    bench.run();
  }
  for (const auto& client : bench.clients) {
    CHECK(client->transport.take_texts().size() == sent);
    CHECK(client->transport.fault() == "");
  }
  CHECK(bench.stats.skipped_events.get() == 0);
  CHECK(bench.stats.snapshots[static_cast<std::size_t>(SnapshotReason::lag)].get() == 0);
}

// Posts events when it is next written to: they come in between two groups of sessions, in the
// middle of a pass.
class PostingTransport final : public Transport {
 public:
  explicit PostingTransport(ShardBench& bench) : bench_(bench) {}
  std::size_t write(ByteSpan frames) override {
    for (const std::size_t bytes : std::exchange(sizes_, {})) bench_.broadcast(bytes);
    return frames.size();
  }
  void finish_frame(ByteSpan) override {}
  void request_writable() override {}
  Delivery delivery() const override { return {}; }
  void close(CloseCause) override {}

  void post_at_next_write(std::vector<std::size_t> sizes) { sizes_ = std::move(sizes); }

 private:
  ShardBench& bench_;
  std::vector<std::size_t> sizes_;
};

TEST_CASE("Whatever comes in during a pass, those at its beginning do not skip") {
  for (const EventLog::Bounds window :
       {EventLog::Bounds{60'000, 1000}, EventLog::Bounds{1 << 20, 6},
        EventLog::Bounds{1 << 20, 2}}) {
    CAPTURE(window.bytes);
    CAPTURE(window.events);
    ShardBench bench(window);
    for (int count = 0; count < 16; ++count) bench.join();
    PostingTransport poster(bench);
    Session& session = bench.shard.add(ConnectionId{99}, poster, {});
    for (int count = 0; count < 32; ++count) bench.join();
    std::size_t sent = 0;
    for (const std::vector<std::size_t>& sizes : std::vector<std::vector<std::size_t>>{
             {1}, std::vector<std::size_t>(15, 1), {1, 100'000}, {5'000, 5'000}, {59'000}}) {
      poster.post_at_next_write(sizes);
      bench.broadcast();
      bench.run();
      sent += 1 + sizes.size();
    }
    bench.shard.remove(session);
    for (const auto& client : bench.clients) CHECK(client->transport.take_texts().size() == sent);
    CHECK(bench.stats.skipped_events.get() == 0);
  }
}

TEST_CASE_FIXTURE(ShardBench, "A shard is drained when every client was written everything") {
  CHECK(shard.drained());
  Client& client = join();
  CHECK(shard.drained());
  client.transport.stall();
  broadcast();
  run();
  CHECK_FALSE(shard.drained());
  client.drain();
  CHECK(shard.drained());
  client.transport.stall();
  broadcast();
  run();
  CHECK_FALSE(shard.drained());
  shard.close_all(CloseCause::relay_stopping);
  CHECK(shard.drained());
}

TEST_CASE_FIXTURE(ShardBench, "All clients are closed with the cause that is given") {
  for (int count = 0; count < 3; ++count) join();
  clients[1]->session->close(CloseCause::stalled);
  shard.close_all(CloseCause::relay_stopping);
  CHECK(clients[0]->transport.closed() == CloseCause::relay_stopping);
  CHECK(clients[1]->transport.closed() == CloseCause::stalled);
  CHECK(clients[2]->transport.closed() == CloseCause::relay_stopping);
  for (const auto& client : clients) CHECK(client->transport.fault() == "");
}

TEST_CASE_FIXTURE(ShardBench, "A tick reaches every session and shows the greatest lag") {
  Client& slow = join();
  join();
  slow.transport.stall();
  for (int count = 0; count < 7; ++count) broadcast();
  run();
  shard.tick();
  CHECK(stats.lag_events_max.get() == 7);
  slow.drain();
  run_for(seconds(20));
  CHECK(stats.lag_events_max.get() == 0);
  for (const auto& client : clients) CHECK(client->transport.take_texts().back() == "<ping>");
}

TEST_CASE_FIXTURE(ShardBench,
                  "Clients that could not be heard while the shard did not run are not closed") {
  for (int count = 0; count < 3; ++count) join();
  clients[1]->transport.stall();
  broadcast();
  run();
  run_for(seconds(20));
  clients[0]->transport.take_messages();
  relay.clock.advance(std::chrono::hours(1));
  shard.tick();
  for (const auto& client : clients) CHECK_FALSE(client->transport.closed());
  clients[0]->session->received();
  run_for(seconds(18));
  for (const auto& client : clients) CHECK_FALSE(client->transport.closed());
  run_for(seconds(2));
  CHECK_FALSE(clients[0]->transport.closed());
  CHECK_FALSE(clients[1]->transport.closed());
  CHECK(clients[2]->transport.closed() == CloseCause::ping_timeout);
  run_for(seconds(20));
  CHECK(clients[1]->transport.closed() == CloseCause::stalled);
}

TEST_CASE_FIXTURE(ShardBench, "What waits to be read counts before a deadline does") {
  Client& client = join();
  run_for(seconds(20) + seconds(20));
  CHECK_FALSE(client.transport.closed());  // its time is over, but nothing was read since
  client.session->received();
  run_for(seconds(1));
  CHECK_FALSE(client.transport.closed());
}

TEST_CASE_FIXTURE(ShardBench, "A heartbeat is not made up for after a time without ticks") {
  ClientRequest request;
  request.heartbeat = seconds(1);
  Client& client = connect(request);
  client.transport.take_messages();
  relay.clock.advance(seconds(100));
  for (int count = 0; count < 3; ++count) shard.tick();
  CHECK(client.transport.take_texts() == Texts{R"({"type":"ping"})"});
}

TEST_CASE_FIXTURE(ShardBench,
                  "The time from acceptance to the last write is observed once per event") {
  join();
  broadcast();
  relay.clock.advance(std::chrono::milliseconds(3));
  broadcast();
  run();
  CHECK(stats.fanout.sum_microseconds() == 3000);
  std::uint64_t observed = 0;
  for (std::size_t bucket = 0; bucket <= LatencyHistogram::kBounds.size(); ++bucket)
    observed += stats.fanout.bucket(bucket);
  CHECK(observed == 2);
  CHECK(stats.log_events.get() == 2);
  CHECK(stats.log_bytes.get() > 0);
}

TEST_CASE(
    "Slow clients that each hold back another part of the log are closed when it is too much in "
    "all") {
  ShardBench bench({1 << 20, 1000});
  constexpr std::size_t kEvent = 1 << 20;
  constexpr std::size_t kClients = 40;  // 32 MiB may be held back
  for (std::size_t number = 0; number < kClients; ++number) {
    Client& client = bench.join();
    client.transport.take_in_all(100'000);
    bench.broadcast(kEvent);
    bench.run();
    REQUIRE(client.session->held_chunk() != nullptr);
  }
  bench.shard.tick();
  std::size_t closed = 0;
  for (const auto& client : bench.clients) {
    if (!client->transport.closed()) continue;
    CHECK(client->transport.closed() == CloseCause::over_capacity);
    CHECK(client->transport.fault() == "");
    ++closed;
  }
  CHECK(closed >= 7);
  CHECK(closed <= 10);
  for (std::size_t number = 0; number < closed; ++number)
    CHECK(bench.clients[number]->transport.closed());  // the oldest go
  for (std::size_t number = closed; number < kClients; ++number) {
    const Texts texts = bench.clients[number]->drain();
    REQUIRE_FALSE(texts.empty());
    CHECK(texts.front() == SessionBench::event(number + 1, kEvent));
  }
}

constexpr std::size_t kTurn = SnapshotTurns::kBytesPerTurn + kFragmentBytes + 4;

TEST_CASE_FIXTURE(ShardBench, "A joiner to a large state gets it in turns, and delays no event") {
  Client& other = join();
  for (const char* key : {"a", "b", "c"}) set(key, 8 << 20);
  const int before_joining = woken;
  Client& joiner = connect();
  CHECK(woken == before_joining + 1);
  std::size_t turns = 0;
  for (bool more = true; more; ++turns) {
    broadcast();
    const std::uint64_t before = joiner.transport.bytes();
    more = shard.run();
    REQUIRE(other.transport.take_texts() == Texts{SessionBench::event(turns + 1)});
    REQUIRE(joiner.transport.bytes() - before <= kTurn + 100 * turns);
  }
  CHECK(turns >= 24);
  const Texts texts = joiner.transport.take_texts();
  REQUIRE(texts.size() == 1 + turns);
  CHECK(texts.front().size() > 24 << 20);
  CHECK(texts.front().find(R"(,"seq":0,"epoch":"e0"})") != std::string::npos);
  for (std::size_t turn = 0; turn < turns; ++turn)
    CHECK(texts[1 + turn] == SessionBench::event(turn + 1));
  CHECK(joiner.transport.fault() == "");
}

TEST_CASE_FIXTURE(ShardBench,
                  "Many joiners share a turn of the shard, and take turns among each other") {
  set("a", 2 << 20);
  std::uint64_t before = 0;
  for (int count = 0; count < 50; ++count) connect().transport.take_in_all(3 << 20);
  const auto written = [this] {
    std::uint64_t bytes = 0;
    for (const auto& client : clients) bytes += client->transport.bytes();
    return bytes;
  };
  CHECK(written() == 0);
  for (bool more = true; more;) {
    before = written();
    more = shard.run();
    REQUIRE(written() - before <= kTurn);
    if (before < 8 << 20) CHECK(clients.back()->transport.bytes() == 0);
    if (before > 16 << 20) CHECK(clients.back()->transport.bytes() > 0);
  }
  for (const auto& client : clients) CHECK(client->transport.take_texts().size() == 1);
}

TEST_CASE_FIXTURE(ShardBench, "Clients that take nothing use up a turn, too") {
  set("a", 1 << 20);
  for (int count = 0; count < 40; ++count) connect().transport.stall();
  int turns = 1;
  while (shard.run()) ++turns;
  CHECK(turns >= 2);
  for (const auto& client : clients) CHECK(client->session->blocked());
}

TEST_CASE("A joiner that waits for its turns skips nothing, although the window moves on") {
  ShardBench bench({60'000, 1000});
  bench.set("a", 15 << 20);
  Client& joiner = bench.connect();
  std::size_t sent = 0;
  do {
    for (int count = 0; count < 3; ++count, ++sent) bench.broadcast(4'000);
  } while (bench.run_once());
  CHECK(sent * 4'000 > 2 * 60'000);
  const Texts texts = joiner.transport.take_texts();
  CHECK(texts.size() == 1 + sent);
  CHECK(bench.stats.skipped_events.get() == 0);
  bench.broadcast();
  bench.run();
  CHECK(bench.stats.log_bytes.get() <= 60'000);
}

TEST_CASE_FIXTURE(ShardBench,
                  "Clients that wait for their turn are pinged and timed out like others") {
  set("a", 2 << 20);
  Client& waiting = connect();
  shard.run();
  REQUIRE_FALSE(waiting.transport.between_messages());
  run_for(seconds(20));
  CHECK(waiting.transport.take_texts() == Texts{"<ping>"});
  run_for(seconds(20) + seconds(1));
  CHECK(waiting.transport.closed() == CloseCause::ping_timeout);
  CHECK(waiting.transport.fault() == "");
}

TEST_CASE_FIXTURE(ShardBench,
                  "A client that trickles over a superseded snapshot makes nobody wait") {
  for (const char* key : {"a", "b", "c"}) set(key, 14 << 20);
  Client& trickling = connect();
  trickling.transport.take_in_all(1000);
  run();
  REQUIRE(trickling.session->blocked());
  for (const char* key : {"a", "b", "c"}) set(key, 100'000);
  CHECK_FALSE(trickling.transport.closed());  // nobody needs the room
  Client& newcomer = connect();
  CHECK(trickling.transport.closed() == CloseCause::over_capacity);
  CHECK(trickling.session->snapshot() == nullptr);
  CHECK(trickling.transport.fault() == "");
  run();
  CHECK(newcomer.transport.take_texts().size() == 1);
}

TEST_CASE_FIXTURE(
    ShardBench, "Slow readers of superseded snapshots that differ in little from the newest stay") {
  for (const char* key : {"a", "b", "c"}) set(key, 14 << 20);
  for (int number = 0; number < 20; ++number) {
    set("d", static_cast<std::size_t>(10 + number));
    connect().transport.take_in_all(1000);
    run();
  }
  for (const auto& client : clients) {
    CHECK_FALSE(client->transport.closed());
    client->transport.flow();
    while (client->transport.waits()) client->transport.become_writable(*client->session), run();
    CHECK(client->transport.take_texts().size() == 1);
    CHECK(client->transport.fault() == "");
  }
}

TEST_CASE_FIXTURE(ShardBench,
                  "Clients that go while they wait for their turn leave nothing behind") {
  set("a", 3 << 20);
  for (int count = 0; count < 5; ++count) connect();
  shard.run();
  remove(*clients[1]);
  remove(*clients[4]);
  clients[2]->session->close(CloseCause::relay_stopping);
  run();
  CHECK(clients[0]->transport.take_texts().size() == 1);
  CHECK(clients[3]->transport.take_texts().size() == 1);
  CHECK_FALSE(clients[2]->transport.between_messages());
}

}  // namespace
}  // namespace syncrelay
