#include "syncrelay/shard/message_rate.h"

#include <doctest/doctest.h>

#include <chrono>

namespace syncrelay {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Verdict = MessageRate::Verdict;

constexpr TimePoint kStart{seconds(100)};

// How many of so many that come at this moment are allowed.
int allowed(MessageRate& rate, const MessageBounds& bounds, TimePoint now, int messages) {
  int count = 0;
  for (; messages > 0; --messages) count += rate.judge(bounds, now) == Verdict::allowed ? 1 : 0;
  return count;
}

TEST_CASE("So many messages are allowed at once, and so many a second from then on") {
  MessageRate rate;
  const MessageBounds bounds{20, 40};
  CHECK(allowed(rate, bounds, kStart, 1000) == 40);
  CHECK(allowed(rate, bounds, kStart + milliseconds(49), 10) == 0);
  CHECK(allowed(rate, bounds, kStart + milliseconds(50), 10) == 1);
  CHECK(allowed(rate, bounds, kStart + milliseconds(1050), 1000) == 20);
  CHECK(allowed(rate, bounds, kStart + seconds(1000), 1000) == 40);
}

TEST_CASE("One at once is one, and without a rate there is no limit") {
  MessageRate rate;
  CHECK(allowed(rate, {1, 1}, kStart, 10) == 1);
  CHECK(allowed(rate, {1, 1}, kStart + milliseconds(999), 10) == 0);
  CHECK(allowed(rate, {1, 1}, kStart + milliseconds(1000), 10) == 1);
  CHECK(allowed(rate, {0, 1}, kStart, 100'000) == 100'000);
}

TEST_CASE("Who goes on for ten seconds is hopeless") {
  MessageRate rate;
  const MessageBounds bounds{20, 40};
  allowed(rate, bounds, kStart, 41);
  for (TimePoint now = kStart; now < kStart + MessageRate::kHopeless; now += milliseconds(10))
    CHECK(rate.judge(bounds, now) != Verdict::hopeless);
  Verdict last = Verdict::allowed;
  for (int more = 0; more < 10 && last != Verdict::hopeless; ++more)
    last = rate.judge(bounds, kStart + MessageRate::kHopeless);
  CHECK(last == Verdict::hopeless);
}

TEST_CASE("A second without a refusal is a pause, after which the time begins anew") {
  MessageRate rate;
  const MessageBounds bounds{20, 40};
  TimePoint now = kStart;
  for (int burst = 0; burst < 30; ++burst, now += milliseconds(1001)) {
    for (int message = 0; message < 100; ++message)
      CHECK(rate.judge(bounds, now) != Verdict::hopeless);
  }
}

}  // namespace
}  // namespace syncrelay
