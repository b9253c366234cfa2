#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace syncrelay {

// A number that one thread changes and any thread reads, for the metrics page. A plain load, add
// and store: no locked instruction on the writer's side. One writer at a time.
class Counter {
 public:
  void add(std::uint64_t amount = 1) { set(get() + amount); }
  void subtract(std::uint64_t amount = 1) { set(get() - amount); }
  void set(std::uint64_t value) { value_.store(value, std::memory_order_relaxed); }
  std::uint64_t get() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

// The highest that a number was since somebody looked. One thread raises it, another takes it.
class Peak {
 public:
  void raise(std::uint64_t value) {
    std::uint64_t highest = value_.load(std::memory_order_relaxed);
    while (value > highest &&
           !value_.compare_exchange_weak(highest, value, std::memory_order_relaxed)) {
    }
  }
  // It begins anew, with 0.
  std::uint64_t take() { return value_.exchange(0, std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

// How many observed durations fell under each bound. Same threads as Counter.
class LatencyHistogram {
 public:
  // Upper bounds in microseconds; one more bucket takes what lies above.
  static constexpr std::array<std::uint64_t, 14> kBounds = {
      50,     100,    250,    500,     1'000,   2'500,     5'000,
      10'000, 25'000, 50'000, 100'000, 250'000, 1'000'000, 5'000'000};

  void observe(std::uint64_t microseconds, std::uint64_t times = 1) {
    std::size_t bucket = 0;
    while (bucket < kBounds.size() && microseconds > kBounds[bucket]) ++bucket;
    buckets_[bucket].add(times);
    sum_.add(microseconds * times);
  }

  std::uint64_t bucket(std::size_t index) const { return buckets_[index].get(); }
  std::uint64_t sum_microseconds() const { return sum_.get(); }

 private:
  std::array<Counter, kBounds.size() + 1> buckets_;
  Counter sum_;
};

}  // namespace syncrelay
