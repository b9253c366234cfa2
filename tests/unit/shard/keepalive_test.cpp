#include "syncrelay/shard/keepalive.h"

#include <doctest/doctest.h>

#include "support/fake_transport.h"

namespace syncrelay {
namespace {

using std::chrono::seconds;

constexpr TimePoint kStart{std::chrono::hours(5)};
constexpr KeepaliveSettings kSettings{seconds(20), seconds(10), Duration::zero(), seconds(30)};

struct KeepaliveBench {
  // As a shard that ticks once a second.
  std::optional<CloseCause> pass(int count, bool blocked = false) {
    for (; count > 0; --count) {
      now += seconds(1);
      time.tick(now);
      if (const auto cause = keepalive.judge(time, blocked, transport)) return cause;
    }
    return std::nullopt;
  }

  TimePoint now = kStart;
  RunningTime time{kStart};
  testing::FakeTransport transport;
  Keepalive keepalive{kSettings, seconds(3), kStart, kStart};
};

TEST_CASE_FIXTURE(KeepaliveBench, "A ping is due once an interval, and none while one waits") {
  pass(19);
  CHECK_FALSE(keepalive.begin_ping(time.now(), transport));
  pass(1);
  CHECK(keepalive.begin_ping(time.now(), transport));
  CHECK_FALSE(keepalive.begin_ping(time.now(), transport));
  keepalive.received(now);
  CHECK(keepalive.received_at() == now);
  CHECK_FALSE(pass(20));
  CHECK(keepalive.begin_ping(time.now(), transport));
  CHECK(pass(12) == CloseCause::ping_timeout);
}

TEST_CASE_FIXTURE(KeepaliveBench, "A blocked client has its time to take a byte, each time anew") {
  CHECK_FALSE(pass(25, true));
  keepalive.took_bytes();
  CHECK_FALSE(pass(25, true));
  CHECK(pass(10, true) == CloseCause::stalled);
}

TEST_CASE_FIXTURE(KeepaliveBench, "A heartbeat is due at its interval, or when it is asked for") {
  keepalive.note_heartbeat(kStart + seconds(2));
  CHECK_FALSE(keepalive.heartbeat_due());
  keepalive.ask_for_heartbeat();
  CHECK(keepalive.heartbeat_due());
  keepalive.sent_heartbeat();
  CHECK_FALSE(keepalive.heartbeat_due());
  keepalive.note_heartbeat(kStart + seconds(3));
  CHECK(keepalive.heartbeat_due());
}

}  // namespace
}  // namespace syncrelay
