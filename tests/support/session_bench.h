#pragma once

#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "support/fake_transport.h"
#include "support/test_relay.h"
#include "syncrelay/shard/session.h"
#include "syncrelay/shard/subscriptions.h"

namespace syncrelay::testing {

// One session on a fake transport, with a replica that a real relay feeds. Updates reach the
// replica at once; the session writes when it is pumped.
class SessionBench {
 public:
  explicit SessionBench(EventLog::Bounds window = {1 << 20, 1000},
                        KeepaliveSettings times = usual_times())
      : keepalive(times),
        replica({"comparison", "radio"}, window),
        relay(relay_settings(window.bytes)) {}

  static KeepaliveSettings usual_times() {
    using std::chrono::seconds;
    return {seconds(20), seconds(20), Duration::zero(), seconds(60)};
  }

  // A command that must be accepted; what it did is in the replica.
  void send(std::string_view json) {
    if (!relay.send(json)) throw std::runtime_error("the relay refused " + std::string(json));
    for (const Update& update : relay.take_updates()) take_in(update);
  }

  void take_in(const Update& update) {
    replica.apply(update);
    for (ReplicaChannel* const channel : replica.news()) {
      for (std::size_t index = 0; channel && index < channel->followers.shared(); ++index) {
        auto& follower = static_cast<Follower&>(channel->followers[index]);
        follower.session().note(follower);
      }
    }
    replica.forget_news();
  }

  // An event whose data is a string of this many bytes.
  void broadcast(std::size_t bytes = 1) {
    send(R"({"op":"broadcast","type":"e","data":")" + std::string(bytes, 'x') + "\"}");
  }

  ~SessionBench() { end(); }

  // Nothing is written yet.
  Session& admit(const ClientRequest& request = {}) {
    end();
    if (request.deflates) transport.inflate();
    session = std::make_unique<Session>(ConnectionId{1}, transport,
                                        request.heartbeat.value_or(keepalive.heartbeat),
                                        request.deflates, context);
    for (const SubscribeMessage& wish : request.subscriptions)
      subscriptions.subscribe(*session, wish);
    return *session;
  }

  Session& connect(const ClientRequest& request = {}) {
    admit(request);
    pump();
    return *session;
  }

  void end() {
    if (session) subscriptions.leave(*session, Farewell::lost);
    session.reset();
  }

  void ask() {
    session->ask_for_heartbeat();
    session->answer();
  }

  // A client that has read its first message.
  Session& join(const ClientRequest& request = {}) {
    connect(request);
    transport.take_messages();
    return *session;
  }

  // Writes everything that is due, a snapshot in as many turns as it takes.
  void pump() {
    session->pump();
    while (!turns.empty()) turns.run();
  }

  // What the client has got since the last call, after everything due was written.
  std::vector<std::string> received() {
    pump();
    return transport.take_texts();
  }

  // The client takes all it can get, to the end.
  std::vector<std::string> drain() {
    transport.flow();
    while (transport.waits()) {
      transport.become_writable(*session);
      pump();
    }
    return received();
  }

  // The shard runs all the while, and has read what came until now.
  void advance(Duration by) {
    constexpr Duration kTick = std::chrono::milliseconds(250);
    for (; by > kTick; by -= kTick) tick_after(kTick);
    tick_after(by);
    tick_after(Duration::zero());
  }
  void tick_after(Duration by) {
    relay.clock.advance(by);
    time.tick(relay.clock.now());
    session->tick();
  }

  static std::string event(std::uint64_t seq, std::size_t bytes = 1) {
    return R"({"type":"e","data":")" + std::string(bytes, 'x') +
           R"(","ts":1763838000.123456,"seq":)" + std::to_string(seq) + '}';
  }

  static std::string snapshot(std::uint64_t seq,
                              const std::string& data = R"({"comparison":null,"radio":null})",
                              const std::string& more = {}) {
    return R"({"type":"sync:full","data":)" + data + R"(,"ts":1763838000.123456,"seq":)" +
           std::to_string(seq) + R"(,"epoch":"e0")" + more + '}';
  }

  KeepaliveSettings keepalive;
  Replica replica;
  TestRelay relay;
  SnapshotCache snapshots{replica, 1 << 20, [](const Snapshot&) {}};
  SnapshotTurns turns{[] {}};
  ShardStats stats;
  RunningTime time{relay.clock.now()};
  const std::string epoch = "e0";
  const std::uint64_t noted_until = UINT64_MAX;  // it is noted at once
  std::vector<Pick> picks;
  Deflation deflation{stats, relay.clock};
  const SessionContext context{replica.log(), snapshots, turns,       relay.clock, time,     stats,
                               keepalive,     epoch,     noted_until, picks,       deflation};
  SubscriptionRules rules{ChannelRule({"room:*"}), 5, 4};
  Outbox outbox{[] {}};
  ChannelPatterns presence;
  Identities identities{presence, outbox, relay.clock, stats};
  Subscriptions subscriptions{rules, epoch, replica, identities, outbox, stats};
  FakeTransport transport;
  std::unique_ptr<Session> session;
};

}  // namespace syncrelay::testing
