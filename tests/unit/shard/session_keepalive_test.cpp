#include <doctest/doctest.h>

#include "support/session_bench.h"

namespace syncrelay {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::SessionBench;
using Texts = std::vector<std::string>;

const Texts kPing = {"<ping>"};
const Texts kHeartbeat = {R"({"type":"ping"})"};

ClientRequest with_heartbeat(int every) {
  ClientRequest request;
  request.heartbeat = seconds(every);
  return request;
}

TEST_CASE_FIXTURE(SessionBench,
                  "An idle client is pinged once per interval, and an answer keeps it") {
  join();
  for (int round = 0; round < 5; ++round) {
    advance(milliseconds(19'999));
    CHECK(received().empty());
    advance(milliseconds(1));
    CHECK(received() == kPing);
    session->received();
  }
  CHECK_FALSE(session->closing());
  CHECK(transport.fault() == "");
}

TEST_CASE_FIXTURE(SessionBench,
                  "A client without a sign of life is closed when the ping's time is over") {
  join();
  advance(seconds(20));
  CHECK(received() == kPing);
  advance(milliseconds(19'999));
  CHECK_FALSE(session->closing());
  advance(milliseconds(1));
  CHECK(transport.closed() == CloseCause::ping_timeout);
}

TEST_CASE_FIXTURE(SessionBench, "Events sent to a silent client do not keep it alive") {
  join();
  advance(seconds(20));
  for (int count = 0; count < 19; ++count) {
    broadcast();
    advance(seconds(1));
  }
  CHECK_FALSE(session->closing());
  broadcast();
  advance(seconds(1));
  CHECK(transport.closed() == CloseCause::ping_timeout);
}

TEST_CASE_FIXTURE(
    SessionBench,
    "A client on a slow link that still takes what was sent before the ping is alive") {
  transport.acknowledge_no_more();
  connect();
  advance(seconds(20));
  transport.acknowledge(30);
  advance(seconds(20));
  CHECK_FALSE(session->closing());
  advance(seconds(20));
  CHECK(transport.closed() == CloseCause::ping_timeout);
}

TEST_CASE("No second ping goes out while the first waits for its answer") {
  KeepaliveSettings times = SessionBench::usual_times();
  times.ping_timeout = seconds(100);
  SessionBench bench({1 << 20, 1000}, times);
  bench.join();
  bench.advance(seconds(20));
  CHECK(bench.received() == kPing);
  bench.advance(seconds(20));
  bench.advance(seconds(20));
  CHECK(bench.received().empty());
  bench.session->received();
  bench.advance(seconds(20));
  CHECK(bench.received() == kPing);
}

TEST_CASE_FIXTURE(SessionBench, "A ping is counted as a frame and in bytes") {
  join();
  const std::uint64_t frames = stats.frames_sent.get();
  const std::uint64_t bytes = stats.bytes_sent.get();
  advance(seconds(20));
  CHECK(stats.frames_sent.get() == frames + 1);
  CHECK(stats.bytes_sent.get() == bytes + kPingFrame.size());
}

TEST_CASE_FIXTURE(SessionBench,
                  "A heartbeat goes to the client that asked for one, at its own interval") {
  join(with_heartbeat(3));
  advance(milliseconds(2'999));
  CHECK(received().empty());
  advance(milliseconds(1));
  CHECK(received() == kHeartbeat);
  advance(seconds(3));
  CHECK(received() == kHeartbeat);
}

TEST_CASE("A heartbeat for all is sent to all, and a client's own wish comes first") {
  KeepaliveSettings times = SessionBench::usual_times();
  times.heartbeat = seconds(5);
  SessionBench bench({1 << 20, 1000}, times);
  bench.join();
  bench.advance(seconds(5));
  CHECK(bench.received() == kHeartbeat);
  bench.join(with_heartbeat(2));
  bench.advance(seconds(2));
  CHECK(bench.received() == kHeartbeat);
}

TEST_CASE_FIXTURE(SessionBench, "Without a wish there is no heartbeat") {
  join();
  advance(seconds(19));
  CHECK(received().empty());
}

TEST_CASE_FIXTURE(SessionBench, "Who asks for a heartbeat gets one at once") {
  join();
  ask();
  CHECK(received() == kHeartbeat);
  CHECK(received().empty());
}

TEST_CASE_FIXTURE(SessionBench, "Who asks before the first message gets the heartbeat behind it") {
  admit();
  ask();
  advance(milliseconds(250));
  CHECK(received() == Texts{snapshot(0), kHeartbeat[0]});
}

TEST_CASE_FIXTURE(
    SessionBench,
    "Who takes nothing and asks again and again gets one, and one for all that he asks "
    "while that waits") {
  join();
  transport.stall();
  for (int times = 0; times < 1000; ++times) ask();
  CHECK(drain() == kHeartbeat);
  advance(milliseconds(250));
  CHECK(received() == kHeartbeat);
  advance(seconds(5));
  CHECK(received().empty());
}

TEST_CASE_FIXTURE(SessionBench, "Heartbeats and pings that fall due together are both sent") {
  join(with_heartbeat(20));
  for (int round = 0; round < 4; ++round) {
    advance(seconds(20));
    CHECK(received() == Texts{kHeartbeat.front(), kPing.front()});
    session->received();
  }
}

TEST_CASE("A heartbeat goes out although a ping waits for its answer") {
  KeepaliveSettings times = SessionBench::usual_times();
  times.ping_timeout = seconds(100);
  SessionBench bench({1 << 20, 1000}, times);
  bench.join(with_heartbeat(7));
  bench.advance(seconds(20));
  bench.received();
  bench.advance(seconds(1));
  CHECK(bench.received() == kHeartbeat);
}

TEST_CASE_FIXTURE(SessionBench,
                  "A blocked client gets one heartbeat of those that it missed, before the events "
                  "that wait for it") {
  join(with_heartbeat(1));
  transport.stall();
  broadcast();
  session->pump();
  for (int second = 0; second < 5; ++second) advance(seconds(1));
  CHECK(drain() == Texts{kHeartbeat.front(), event(1)});
}

TEST_CASE_FIXTURE(SessionBench,
                  "A heartbeat that fell due inside a message follows at once when that ends") {
  join(with_heartbeat(1));
  broadcast(200'000);
  broadcast();
  transport.take_in_all(1000);
  session->pump();
  REQUIRE_FALSE(transport.between_messages());
  advance(seconds(3));
  CHECK(drain() == Texts{event(1, 200'000), kHeartbeat.front(), event(2)});
  CHECK(transport.fault() == "");
}

TEST_CASE_FIXTURE(SessionBench, "A blocked client is pinged when it takes bytes again") {
  join();
  broadcast(200'000);
  transport.take_in_all(1000);
  session->pump();
  transport.take_in_all(1000);
  advance(seconds(20));
  CHECK(transport.take_texts().empty());  // it is blocked: the stall timeout watches it
  transport.flow();
  transport.become_writable(*session);
  advance(milliseconds(250));
  CHECK(received() == Texts{event(1, 200'000), kPing.front()});
}

TEST_CASE_FIXTURE(SessionBench, "Neither heartbeat nor ping lands inside a fragmented message") {
  join(with_heartbeat(1));
  broadcast(200'000);
  transport.take_in_all(1000);
  session->pump();
  REQUIRE_FALSE(transport.between_messages());
  for (int second = 0; second < 25; ++second) {
    advance(seconds(1));
    transport.take_in_all(1000);
    if (second % 10 == 9) transport.become_writable(*session);
  }
  CHECK(drain() == Texts{event(1, 200'000), kHeartbeat.front()});
  CHECK(transport.fault() == "");
}

TEST_CASE_FIXTURE(SessionBench, "Neither heartbeat nor ping lands inside a fragmented snapshot") {
  send(R"({"op":"set","notify":false,"key":"radio","value":")" + std::string(200'000, 'r') + "\"}");
  transport.take_in_all(1000);
  connect(with_heartbeat(1));
  REQUIRE_FALSE(transport.between_messages());
  for (int second = 0; second < 25; ++second) advance(seconds(1));
  const Texts texts = drain();
  REQUIRE(texts.size() == 2);
  CHECK(texts[0].size() > 200'000);
  CHECK(texts[1] == kHeartbeat.front());
  CHECK(transport.fault() == "");
}

TEST_CASE_FIXTURE(SessionBench, "A client that takes no byte is closed after the stall timeout") {
  join();
  transport.stall();
  broadcast();
  session->pump();
  advance(milliseconds(250));  // the clock begins with the first look at the blocked client
  advance(milliseconds(59'999));
  CHECK_FALSE(session->closing());
  advance(milliseconds(1));
  CHECK(transport.closed() == CloseCause::stalled);
  CHECK(transport.fault() == "");
}

TEST_CASE_FIXTURE(SessionBench, "A client that takes a byte now and then is slow, not stalled") {
  join();
  for (int count = 0; count < 100; ++count) broadcast(100);
  transport.stall();
  session->pump();
  for (int minute = 0; minute < 10; ++minute) {
    transport.take_in_all(1);
    transport.become_writable(*session);
    advance(seconds(59));
  }
  CHECK_FALSE(session->closing());
  CHECK(drain().size() == 100);
}

TEST_CASE_FIXTURE(SessionBench,
                  "Acknowledgements alone show that a blocked client still takes what was sent") {
  join();
  transport.acknowledge_no_more();
  transport.take_in_all(1);  // the rest of the frame lies in the transport's own buffer
  broadcast(60'000);
  session->pump();
  for (int minute = 0; minute < 10; ++minute) {
    transport.acknowledge(1);
    advance(seconds(59));
    CHECK_FALSE(session->closing());
  }
  advance(seconds(60));
  CHECK(transport.closed() == CloseCause::stalled);
}

TEST_CASE_FIXTURE(SessionBench, "An idle client never stalls") {
  join();
  for (int count = 0; count < 100; ++count) {
    advance(seconds(10));
    session->received();
  }
  CHECK_FALSE(session->closing());
}

TEST_CASE_FIXTURE(SessionBench, "A closed session is left alone by the clock") {
  join(with_heartbeat(1));
  session->close(CloseCause::over_capacity);
  advance(seconds(500));
  CHECK(received().empty());
  CHECK(transport.fault() == "");
}

}  // namespace
}  // namespace syncrelay
