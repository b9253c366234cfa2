#include "syncrelay/base/mailbox.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <numeric>
#include <thread>

namespace syncrelay {
namespace {

struct Parcel {
  int number = 0;
  std::size_t heaviness = 1;
};

std::size_t weight(const Parcel& parcel) {
  return parcel.heaviness;
}

using ParcelBox = Mailbox<Parcel>;

std::vector<Parcel> numbered(int count, std::size_t heaviness = 1) {
  std::vector<Parcel> parcels;
  for (int number = 0; number < count; ++number) parcels.push_back({number, heaviness});
  return parcels;
}

// Takes until `count` have come; the most that came at once.
std::size_t take_all(ParcelBox& box, int count) {
  std::size_t most = 0;
  int next = 0;
  std::vector<Parcel> taken;
  while (next < count) {
    box.take(taken);
    for (const Parcel& parcel : taken) REQUIRE(parcel.number == next++);
    most = std::max(most, taken.size());
    if (taken.empty()) std::this_thread::yield();
  }
  return most;
}

TEST_CASE("What is posted is taken, all of it, in order") {
  ParcelBox box({100, 100}, [] {});
  CHECK(box.post(numbered(5)));
  CHECK(box.post(Parcel{5, 1}));
  std::vector<Parcel> taken = numbered(1);
  box.take(taken);
  REQUIRE(taken.size() == 6);
  for (int index = 0; index < 6; ++index)
    CHECK(taken[static_cast<std::size_t>(index)].number == index);
  box.take(taken);
  CHECK(taken.empty());
}

TEST_CASE("The receiver is woken when the mailbox stops being empty, and only then") {
  int woken = 0;
  ParcelBox box({100, 100}, [&] { ++woken; });
  box.post(numbered(3));
  box.post(Parcel{});
  CHECK(woken == 1);
  std::vector<Parcel> taken;
  box.take(taken);
  CHECK(woken == 1);
  box.post(Parcel{});
  CHECK(woken == 2);
  box.post(std::span<const Parcel>());
  CHECK(woken == 2);
}

TEST_CASE("A sender waits while the bound on the count is reached") {
  ParcelBox box({3, 1000}, [] {});
  std::thread sender([&] { CHECK(box.post(numbered(100))); });
  CHECK(take_all(box, 100) <= 3);
  sender.join();
}

TEST_CASE("A sender waits while the bound on the weight is reached") {
  ParcelBox box({1000, 10}, [] {});
  std::thread sender([&] { CHECK(box.post(numbered(100, 4))); });
  CHECK(take_all(box, 100) <= 3);  // 4 and 8 are below 10, 12 is not
  sender.join();
}

TEST_CASE("A value heavier than the bound goes in alone") {
  ParcelBox box({1000, 10}, [] {});
  std::thread sender([&] { CHECK(box.post(numbered(20, 11))); });
  CHECK(take_all(box, 20) == 1);
  sender.join();
}

TEST_CASE("A closed mailbox refuses what is posted and keeps what waits") {
  ParcelBox box({100, 100}, [] {});
  CHECK(box.post(numbered(2)));
  box.close();
  CHECK_FALSE(box.post(Parcel{}));
  std::vector<Parcel> taken;
  box.take(taken);
  CHECK(taken.size() == 2);
  CHECK_FALSE(box.post(Parcel{}));
}

TEST_CASE("Closing releases a sender that waits for room") {
  ParcelBox box({2, 100}, [] {});
  bool all_in = true;
  std::thread sender([&] { all_in = box.post(numbered(10)); });
  std::vector<Parcel> taken;
  while (taken.empty()) box.take(taken);  // it has begun, and can never end by itself
  box.close();
  sender.join();
  CHECK_FALSE(all_in);
}

TEST_CASE("Several senders lose nothing") {
  ParcelBox box({4, 100}, [] {});
  std::vector<std::thread> senders;
  for (int sender = 0; sender < 4; ++sender) {
    senders.emplace_back([&box, sender] {
      for (int count = 0; count < 1000; ++count) box.post(Parcel{sender, 1});
    });
  }
  std::vector<int> counts(4);
  std::vector<Parcel> taken;
  while (std::accumulate(counts.begin(), counts.end(), 0) < 4000) {
    box.take(taken);
    for (const Parcel& parcel : taken) ++counts[static_cast<std::size_t>(parcel.number)];
    if (taken.empty()) std::this_thread::yield();
  }
  for (std::thread& sender : senders) sender.join();
  CHECK(counts == std::vector<int>(4, 1000));
}

}  // namespace
}  // namespace syncrelay
