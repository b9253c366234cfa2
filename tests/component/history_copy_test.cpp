// A relay goes on while another thread makes a checkpoint of a copy that shares its blocks of keys.

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "deadline.h"
#include "support/choices.h"
#include "support/test_relay.h"
#include "syncrelay/redis/checkpoint_maker.h"
#include "syncrelay/relay/history_codec.h"

namespace syncrelay {
namespace {

using testing::comes_true;
using testing::SeededChoices;
using testing::TestRelay;

constexpr RelayId kHome = 7;
constexpr std::uint64_t kCheckpoints = 25;
constexpr std::uint64_t kWritesMeanwhile = 100;  // of each
constexpr std::uint32_t kKeys = 600;             // of each of three channels: several blocks
constexpr std::uint64_t kWritesBetween = 30;
constexpr std::uint64_t kFirstWrites = 1500;

Relay::Settings settings() {
  Relay::Settings settings = testing::relay_settings();
  settings.presence.home = kHome;
  return settings;
}

// The test's thread looks at it when run() is over.
class Busy {
 public:
  explicit Busy(std::uint32_t seed) : choices_(seed) { append_timestamp(since_, at_.clock.wall()); }

  // The relay's thread: writes all the time, and has checkpoints made, one after the other.
  void run() {
    for (std::uint64_t count = 0; count < kFirstWrites; ++count) write();
    for (std::uint64_t number = 1; number <= kCheckpoints && in_time_; ++number) {
      begin(number);
      in_time_ = comes_true([&] {
        write();
        maker_.let_go();
        return made_ == number;
      });
      for (std::uint64_t count = 0; count < kWritesBetween; ++count) write();
    }
    maker_.stop();
    while (maker_.let_go()) {
    }
  }

  bool in_time() const { return in_time_; }
  std::uint64_t refused() const { return refused_; }
  std::uint64_t made() const { return made_; }
  std::uint64_t spoilt() const { return spoilt_; }

 private:
  void begin(std::uint64_t number) {
    auto copy = std::make_shared<HistoryCopy>(at_.relay.copy_history(at_.clock.wall()).value());
    // Of the same moment, and of blocks of its own: by way of bytes.
    auto expected = std::make_shared<const std::string>(history_bytes(copy->stored()));
    maker_.make(number, {[this, copy, expected] { return read_twice(*copy, *expected); },
                         [copy] { return copy->shed(); }});
  }

  // On the maker's thread. `writes_` is relaxed, so that it orders nothing between the threads.
  std::string read_twice(const HistoryCopy& copy, const std::string& expected) {
    if (history_bytes(copy.stored()) != expected) ++spoilt_;
    const std::uint64_t goal = writes_.load(std::memory_order_relaxed) + kWritesMeanwhile;
    if (!comes_true([&] { return writes_.load(std::memory_order_relaxed) >= goal; })) ++spoilt_;
    std::string again = history_bytes(copy.stored());
    if (again != expected) ++spoilt_;
    return again;
  }

  void write() {
    const std::string channel = "c" + std::to_string(choices_.below(3));
    const std::string name = std::to_string(choices_.below(kKeys));
    const std::string at = R"(,"channel":")" + channel + R"(","key":"k)" + name + '"';
    switch (choices_.below(8)) {
      case 0:
        send(R"({"op":"delete")" + at + '}');
        break;
      case 1:
        send(R"({"op":"set")" + at + R"(,"value":1,"ttl":60})");
        break;
      case 2:
        arrive(channel, "m" + name);
        break;
      case 3:
        at_.relay.apply(Depart{channel, "m" + name, since_, kHome}, {at_.clock.wall()});
        break;
      default:
        send(R"({"op":"set")" + at + R"(,"id":"i)" + std::to_string(choices_.below(5000)) +
             R"(","value":[")" + std::string(choices_.below(90), 'x') + R"("]})");
    }
    at_.take_updates();
    writes_.fetch_add(1, std::memory_order_relaxed);
  }

  void send(const std::string& command) {
    if (!at_.send(command)) ++refused_;
  }

  void arrive(const std::string& channel, const std::string& id) {
    at_.relay.apply(
        Arrive{channel, id, std::make_shared<const std::string>(R"({"a":1})"), {3, kHome}, kHome},
        {at_.clock.wall()});
    send(R"({"op":"will","channel":")" + channel + R"(","id":")" + id +
         R"(","commands":[{"op":"delete","key":"k1"}]})");
  }

  SeededChoices choices_;
  TestRelay at_{settings()};
  std::string since_;
  std::uint64_t refused_ = 0;
  std::atomic<std::uint64_t> writes_{0};
  std::atomic<std::uint64_t> made_{0};
  std::atomic<std::uint64_t> spoilt_{0};
  bool in_time_ = true;
  CheckpointMaker maker_{[this](std::uint64_t number, const std::string&) { made_ = number; }};
};

TEST_CASE("checkpoints are what the relay was when they were wanted, whatever it does meanwhile") {
  Busy busy(1);
  std::thread relay([&] { busy.run(); });
  relay.join();
  CHECK(busy.in_time());
  CHECK(busy.made() == kCheckpoints);
  CHECK(busy.refused() == 0);
  CHECK(busy.spoilt() == 0);
}

}  // namespace
}  // namespace syncrelay
