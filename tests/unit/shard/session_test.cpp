#include "syncrelay/shard/session.h"

#include <doctest/doctest.h>

#include "support/session_bench.h"
#include "support/update_source.h"

namespace syncrelay {
namespace {

using testing::event_text;
using testing::SessionBench;
using testing::UpdateSource;
using Texts = std::vector<std::string>;

ClientRequest resume_after(std::uint64_t seq) {
  ClientRequest request;
  request.subscriptions = {{"", true, AskedPosition{"e0", Seq{seq}}}};
  return request;
}

std::string resumed(std::uint64_t seq, std::uint64_t to) {
  return R"({"type":"sync:resume","data":{"from":)" + std::to_string(seq + 1) + R"(,"to":)" +
         std::to_string(to) + R"(},"ts":1763838000.123456,"seq":)" + std::to_string(seq) +
         R"(,"epoch":"e0"})";
}

ClientRequest follow(std::vector<SubscribeMessage> subscriptions) {
  ClientRequest request;
  request.subscriptions = std::move(subscriptions);
  return request;
}

std::string room_snapshot(std::uint64_t seq, const std::string& more = {}) {
  return R"({"type":"sync:full","channel":"room:1","data":{},"ts":1763838000.123456,"seq":)" +
         std::to_string(seq) + R"(,"epoch":"e0")" + more + '}';
}

std::uint64_t snapshot_count(const SessionBench& bench, SnapshotReason reason) {
  return bench.stats.snapshots[static_cast<std::size_t>(reason)].get();
}

TEST_CASE_FIXTURE(
    SessionBench,
    "The first message is the state at the log's end, then come the events behind it") {
  broadcast();
  send(R"({"op":"set","notify":false,"key":"radio","value":{ "a" : 1.0 }})");
  connect();
  broadcast();
  broadcast();
  CHECK(received() ==
        Texts{snapshot(1, R"({"comparison":null,"radio":{ "a" : 1.0 }})"), event(2), event(3)});
  CHECK(snapshot_count(*this, SnapshotReason::connect) == 1);
  CHECK(session->idle());
  CHECK(transport.fault() == "");
}

TEST_CASE_FIXTURE(SessionBench, "A snapshot's time is that of its sending") {
  connect();
  transport.take_messages();
  relay.clock.advance(std::chrono::seconds(5));
  connect();
  CHECK(received().front().find(R"("ts":1763838005.123456)") != std::string::npos);
}

TEST_CASE_FIXTURE(SessionBench, "A state key in a snapshot is escaped") {
  send(R"({"op":"set","notify":false,"key":"a\"\u0001","value":1})");
  connect();
  CHECK(received() == Texts{snapshot(0, R"({"a\"\u0001":1,"comparison":null,"radio":null})")});
}

TEST_CASE_FIXTURE(SessionBench, "All that is pending goes out in one write") {
  join();
  for (int count = 0; count < 100; ++count) broadcast();
  const std::size_t before = transport.writes();
  CHECK(received().size() == 100);
  CHECK(transport.writes() == before + 1);
  CHECK(stats.frames_sent.get() == 101);
}

TEST_CASE_FIXTURE(SessionBench, "A client that resumes gets what it missed and nothing else") {
  for (int count = 0; count < 5; ++count) broadcast();
  connect(resume_after(3));
  broadcast();
  CHECK(received() == Texts{resumed(3, 5), event(4), event(5), event(6)});
  CHECK(stats.resumes.get() == 1);
  CHECK(snapshot_count(*this, SnapshotReason::resume_failed) == 0);
}

TEST_CASE_FIXTURE(SessionBench, "A client that missed nothing resumes at the end") {
  broadcast();
  connect(resume_after(1));
  CHECK(received() == Texts{resumed(1, 1)});
  broadcast();
  CHECK(received() == Texts{event(2)});
}

TEST_CASE_FIXTURE(SessionBench, "A client resumes from the very beginning, also of an empty log") {
  connect(resume_after(0));
  CHECK(received() == Texts{resumed(0, 0)});
  broadcast();
  connect(resume_after(0));
  CHECK(received() == Texts{resumed(0, 1), event(1)});
}

TEST_CASE_FIXTURE(SessionBench, "A position that the log does not reach in time gets a snapshot") {
  broadcast();
  connect(resume_after(2));
  for (int ticks = 0; ticks < EarlyFollowers::kTicks; ++ticks) {
    CHECK(received().empty());
    subscriptions.tick();
  }
  CHECK(received() == Texts{snapshot(1)});
  CHECK(snapshot_count(*this, SnapshotReason::resume_failed) == 1);
  CHECK(snapshot_count(*this, SnapshotReason::connect) == 0);
}

TEST_CASE("A position that the log holds no more gets a snapshot, the oldest held one does not") {
  SessionBench bench({1 << 20, 3});
  for (int count = 0; count < 10; ++count) bench.broadcast();
  bench.connect(resume_after(6));
  CHECK(bench.received() == Texts{SessionBench::snapshot(10)});
  bench.connect(resume_after(7));
  CHECK(bench.received() == Texts{resumed(7, 10), SessionBench::event(8), SessionBench::event(9),
                                  SessionBench::event(10)});
}

TEST_CASE_FIXTURE(SessionBench,
                  "A wish to resume without a usable position gets a snapshot without skipped") {
  broadcast();
  ClientRequest request;
  request.subscriptions = {{"", true, {}}};
  connect(request);
  CHECK(received() == Texts{snapshot(1)});
  CHECK(snapshot_count(*this, SnapshotReason::resume_failed) == 1);
}

TEST_CASE("A slow client whose cursor left the window gets a snapshot that says what it missed") {
  SessionBench bench({1 << 20, 3});
  bench.join();
  bench.transport.stall();
  bench.broadcast();
  bench.session->pump();
  CHECK(bench.stats.slow_clients.get() == 1);
  for (int count = 0; count < 9; ++count) bench.broadcast();
  CHECK(bench.session->lag() == 10);
  CHECK(bench.drain() == Texts{SessionBench::snapshot(10, R"({"comparison":null,"radio":null})",
                                                      R"(,"skipped":10)")});
  bench.broadcast();
  CHECK(bench.received() == Texts{SessionBench::event(11)});
  CHECK(bench.stats.skipped_events.get() == 10);
  CHECK(snapshot_count(bench, SnapshotReason::lag) == 1);
  CHECK(bench.stats.slow_clients.get() == 0);
  CHECK(bench.transport.fault() == "");
}

TEST_CASE("A slow client that is still in the window skips nothing") {
  SessionBench bench({1 << 20, 3});
  bench.join();
  bench.transport.refuse_next_write();
  for (int count = 0; count < 3; ++count) {
    bench.broadcast();
    bench.session->pump();
  }
  CHECK(bench.drain() ==
        Texts{SessionBench::event(1), SessionBench::event(2), SessionBench::event(3)});
  CHECK(bench.stats.skipped_events.get() == 0);
}

TEST_CASE("What a client got before it fell behind is not counted as skipped") {
  SessionBench bench({1 << 20, 3});
  bench.join();
  bench.broadcast();
  bench.broadcast();
  bench.transport.take_in_all(10);  // in the middle of event 1, which is then finished
  bench.session->pump();
  for (int count = 0; count < 6; ++count) bench.broadcast();
  CHECK(bench.drain() ==
        Texts{SessionBench::event(1),
              SessionBench::snapshot(8, R"({"comparison":null,"radio":null})", R"(,"skipped":7)")});
}

TEST_CASE(
    "A long message that a client is in the middle of is ended, although it left the window") {
  SessionBench bench({100'000, 1000});
  bench.join();
  bench.broadcast(300'000);
  bench.transport.take_in_all(70'000);
  bench.session->pump();
  CHECK_FALSE(bench.transport.between_messages());
  CHECK(bench.session->held_chunk() != nullptr);
  for (int count = 0; count < 5; ++count) bench.broadcast(60'000);
  const Texts texts = bench.drain();
  REQUIRE(texts.size() == 2);
  CHECK(texts[0] == SessionBench::event(1, 300'000));
  CHECK(texts[1] ==
        SessionBench::snapshot(6, R"({"comparison":null,"radio":null})", R"(,"skipped":5)"));
  CHECK(bench.session->held_chunk() == nullptr);
  CHECK(bench.stats.frames_sent.get() == 3);
}

TEST_CASE("A snapshot that takes long keeps the position it was made at") {
  SessionBench bench;
  bench.send(R"({"op":"set","notify":false,"key":"radio","value":")" + std::string(200'000, 'r') +
             "\"}");
  bench.broadcast();
  bench.transport.take_in_all(1000);
  bench.connect();
  CHECK_FALSE(bench.transport.between_messages());
  bench.send(R"({"op":"set","notify":false,"key":"radio","value":2})");
  bench.broadcast();
  const Texts texts = bench.drain();
  REQUIRE(texts.size() == 2);
  CHECK(texts[0] == SessionBench::snapshot(
                        1, R"({"comparison":null,"radio":")" + std::string(200'000, 'r') + "\"}"));
  CHECK(texts[1] == SessionBench::event(2));
}

TEST_CASE_FIXTURE(SessionBench, "A session waits for its transport instead of asking it again") {
  join();
  transport.stall();
  broadcast();
  session->pump();
  CHECK(session->blocked());
  const std::size_t writes = transport.writes();
  for (int count = 0; count < 3; ++count) received();
  CHECK(transport.writes() == writes);
  CHECK_FALSE(session->idle());
  CHECK(drain() == Texts{event(1)});
  CHECK_FALSE(session->blocked());
}

TEST_CASE_FIXTURE(SessionBench, "A call of writable that was not asked for changes nothing") {
  join();
  session->writable();
  CHECK(received().empty());
  CHECK(stats.slow_clients.get() == 0);
}

TEST_CASE_FIXTURE(SessionBench,
                  "Where a channel's numbers begin anew, its followers miss none of the new ones") {
  UpdateSource source(1 << 20);
  std::vector<SubscribeMessage> subscriptions = {{"room:1"}};
  SUBCASE("one channel") {}
  SUBCASE("several") {
    subscriptions.push_back({"room:2"});
  }
  join(follow(subscriptions));
  take_in(source.end("room:1", Seq{5}, ChannelEnd::forgotten));
  take_in(source.event("room:1", Seq{6}, event_text("room:1", "6", relay.clock.wall(), Seq{6})));
  take_in(source.event("room:1", Seq{7}, event_text("room:1", "7", relay.clock.wall(), Seq{7})));
  CHECK(session->lag() == 2);
  CHECK(received() == Texts{room_snapshot(5), event_text("room:1", "6", relay.clock.wall(), Seq{6}),
                            event_text("room:1", "7", relay.clock.wall(), Seq{7})});
  CHECK(snapshot_count(*this, SnapshotReason::renumbered) == 1);
  CHECK(stats.skipped_events.get() == 0);
  CHECK(session->idle());
}

TEST_CASE("What a slow client does not get of numbers that began anew is told as skipped") {
  SessionBench bench({1 << 20, 2});
  UpdateSource source(1 << 20);
  bench.join(follow({{"room:1"}}));
  bench.take_in(source.end("room:1", Seq{5}, ChannelEnd::forgotten));
  for (std::uint64_t seq = 6; seq <= 9; ++seq) {
    const std::string text = event_text("room:1", "1", bench.relay.clock.wall(), Seq{seq});
    bench.take_in(source.event("room:1", Seq{seq}, text));
  }
  CHECK(bench.received() == Texts{room_snapshot(9, R"(,"skipped":4)")});
  CHECK(bench.stats.skipped_events.get() == 4);
}

TEST_CASE_FIXTURE(SessionBench, "A closed session writes nothing more and keeps its first cause") {
  join();
  session->close(CloseCause::relay_stopping);
  session->close(CloseCause::stalled);
  broadcast();
  CHECK(received().empty());
  CHECK(transport.closed() == CloseCause::relay_stopping);
  CHECK(session->closing());
  CHECK(transport.fault() == "");
}

TEST_CASE_FIXTURE(SessionBench, "A slow client that goes is slow no more") {
  join();
  transport.stall();
  broadcast();
  session->pump();
  CHECK(stats.slow_clients.get() == 1);
  end();
  CHECK(stats.slow_clients.get() == 0);
}

TEST_CASE_FIXTURE(SessionBench,
                  "The counters tell the bytes and messages of a fragmented message") {
  send(R"({"op":"set","notify":false,"key":"radio","value":")" + std::string(100'000, 'r') + "\"}");
  connect();
  broadcast(200'000);
  CHECK(received().size() == 2);
  CHECK(stats.frames_sent.get() == 2);
  CHECK(stats.bytes_sent.get() == transport.bytes());
  CHECK(session->bytes_sent() == transport.bytes());
}

}  // namespace
}  // namespace syncrelay
