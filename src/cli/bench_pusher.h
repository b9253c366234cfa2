#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "curve.h"
#include "relay_place.h"
#include "syncrelay/config/invocation.h"

namespace syncrelay {

// Sends the events of a bench over the control socket, each when its time has come, in a thread of
// its own. Event `n` of them has {"n":n,…} as its data.
class BenchPusher {
 public:
  using Clock = std::chrono::steady_clock;

  // `done` runs at the end of the thread.
  BenchPusher(const RelayPlace& place, std::optional<CurveKeys> keys, const BenchWish& wish,
              std::chrono::milliseconds patience, std::function<void()> done);
  ~BenchPusher();  // gives up
  BenchPusher(const BenchPusher&) = delete;
  BenchPusher& operator=(const BenchPusher&) = delete;

  void start();
  // Waits for the end of its thread.
  void join() { thread_.join(); }
  // Sends no more.
  void give_up() { given_up_ = true; }

  bool done() const { return done_; }
  std::uint64_t sent() const { return sent_; }
  std::uint64_t refused() const { return refused_; }
  // The relay has left something unanswered for as long as it is waited for. Precondition: done().
  bool silent() const { return silent_; }
  // When event `n` was sent; nothing of one that was not.
  std::optional<Clock::time_point> sent_at(std::uint64_t n) const;
  // Why it stopped before its end, or what the relay refused; empty: neither. Precondition: done().
  const std::string& fault() const { return fault_; }

 private:
  void run();
  void send_all(void* socket);
  void take_answers(void* socket, std::chrono::milliseconds longest);
  bool wait_for_answers(void* socket, std::uint64_t unanswered);
  std::string event(std::uint64_t n) const;

  const RelayPlace place_;
  const std::optional<CurveKeys> keys_;
  const BenchWish wish_;
  const std::chrono::milliseconds patience_;
  const std::function<void()> on_done_;
  const std::string padding_;
  std::vector<std::atomic<Clock::rep>> times_;  // by event; 0: not sent
  std::atomic<std::uint64_t> sent_ = 0;
  std::atomic<std::uint64_t> refused_ = 0;
  std::uint64_t answered_ = 0;
  bool silent_ = false;
  std::atomic<bool> given_up_ = false;
  std::atomic<bool> done_ = false;
  std::string fault_;
  std::thread thread_;
};

}  // namespace syncrelay
