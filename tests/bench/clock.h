#pragma once

#include <chrono>
#include <cstdint>

namespace syncrelay::bench {

// Nanoseconds of the monotonic clock.
inline std::int64_t now_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

constexpr std::int64_t kSecond = 1'000'000'000;

}  // namespace syncrelay::bench
