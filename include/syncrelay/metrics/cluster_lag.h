#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>

#include "syncrelay/base/clock.h"

namespace syncrelay {

// For how long a relay has not had all of the cluster's log: since it has last heard that there is
// no more of it, or since it was told what it has yet to apply. By the host's running time alone,
// so that no clock of another machine makes it wrong. Three threads: who reads the log, who applies
// it, and anybody who looks.
class ClusterLag {
 public:
  // Who reads it asks so often whether there is more that silence for longer means something.
  static constexpr Duration kSilence = std::chrono::seconds(2);

  // A reader begins, and nobody reads or applies: what was told before and not applied never is.
  void begin(TimePoint now) {
    applied_.store(told_.load(std::memory_order_relaxed), std::memory_order_relaxed);
    heard_all(now);
  }
  // The reader's: all that was in the log a moment ago has been told.
  void heard_all(TimePoint now) { whole_at_.store(count(now), std::memory_order_relaxed); }
  // The reader's, before it tells something.
  void tell(TimePoint now) {
    const std::uint64_t told = told_.load(std::memory_order_relaxed);
    if (applied_.load(std::memory_order_relaxed) >= mark_) {
      mark_ = told + 1;
      marked_at_.store(count(now), std::memory_order_relaxed);
    }
    told_.store(told + 1, std::memory_order_release);
  }

  // Who applies it has done with so many more of what it was told.
  void apply(std::uint64_t events = 1) {
    applied_.store(applied_.load(std::memory_order_relaxed) + events, std::memory_order_release);
  }

  // Zero: it has all.
  Duration at(TimePoint now) const {
    const Duration unheard(count(now) - whole_at_.load(std::memory_order_relaxed));
    const Duration reading = unheard > kSilence ? unheard : Duration::zero();
    // In this order: what was told by then was marked by then.
    const std::uint64_t applied = applied_.load(std::memory_order_acquire);
    const std::uint64_t told = told_.load(std::memory_order_acquire);
    if (applied >= told) return reading;
    const Duration waiting(count(now) - marked_at_.load(std::memory_order_relaxed));
    return std::max({reading, waiting, Duration::zero()});
  }

 private:
  static Duration::rep count(TimePoint time) { return time.time_since_epoch().count(); }

  std::atomic<Duration::rep> whole_at_{0};
  std::atomic<std::uint64_t> told_{0};
  std::atomic<std::uint64_t> applied_{0};
  std::atomic<Duration::rep> marked_at_{0};  // all that is told and not applied is no older
  std::uint64_t mark_ = 0;                   // the reader's: told at marked_at_, as the so manieth
};

}  // namespace syncrelay
