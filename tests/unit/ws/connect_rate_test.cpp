#include "syncrelay/ws/connect_rate.h"

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <thread>
#include <vector>

namespace syncrelay {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr TimePoint kStart{seconds(1000)};

int allowed(ConnectRate& rate, std::string_view address, TimePoint now, int tries) {
  int count = 0;
  for (int turn = 0; turn < tries; ++turn) count += rate.allows(address, now) ? 1 : 0;
  return count;
}

TEST_CASE("An address may do ten seconds' worth at once, then its rate") {
  ConnectRate rate(2);
  CHECK(allowed(rate, "a", kStart, 100) == 20);
  CHECK(allowed(rate, "a", kStart + milliseconds(499), 100) == 0);
  CHECK(allowed(rate, "a", kStart + milliseconds(500), 100) == 1);
  CHECK(allowed(rate, "a", kStart + milliseconds(3000), 100) == 5);
  CHECK(allowed(rate, "a", kStart + seconds(100), 100) == 20);
}

TEST_CASE("Who keeps to the rate is never refused, and refusals cost nothing") {
  ConnectRate rate(1);
  for (int second = 0; second < 100; ++second) CHECK(rate.allows("a", kStart + seconds(second)));
  CHECK(allowed(rate, "b", kStart, 1000) == 10);
  CHECK(rate.allows("b", kStart + seconds(1)));
}

TEST_CASE("Addresses do not count for each other") {
  ConnectRate rate(1);
  CHECK(allowed(rate, "a", kStart, 100) == 10);
  CHECK(allowed(rate, "b", kStart, 100) == 10);
}

TEST_CASE("Who has been silent for as long as it takes is forgotten") {
  ConnectRate rate(1);
  for (int number = 0; number < 100; ++number) rate.allows(std::to_string(number), kStart);
  CHECK(rate.addresses() == 100);
  for (int number = 100; number < 200; ++number)
    rate.allows(std::to_string(number), kStart + seconds(20));
  CHECK(rate.addresses() == 100);
}

TEST_CASE("When too many are busy the one that has been silent for longest is forgotten") {
  ConnectRate rate(1, 3);
  for (const char* address : {"a", "b", "c"}) CHECK(allowed(rate, address, kStart, 20) == 10);
  CHECK_FALSE(rate.allows("a", kStart));
  CHECK(rate.allows("d", kStart));
  CHECK(rate.addresses() == 3);
  CHECK_FALSE(rate.allows("a", kStart));
  CHECK(allowed(rate, "b", kStart, 20) == 10);
}

TEST_CASE("Several threads together get no more than one") {
  ConnectRate rate(100);
  std::atomic<int> count{0};
  std::vector<std::thread> threads;
  for (int index = 0; index < 4; ++index)
    threads.emplace_back([&] { count += allowed(rate, "a", kStart, 1000); });
  for (std::thread& thread : threads) thread.join();
  CHECK(count == 1000);
}

}  // namespace
}  // namespace syncrelay
