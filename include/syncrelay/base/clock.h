#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace syncrelay {

using Duration = std::chrono::nanoseconds;
using TimePoint = std::chrono::time_point<std::chrono::steady_clock, Duration>;

// Microseconds since 1970 by the wall clock.
struct WallTime {
  std::int64_t microseconds = 0;
};

// Where time comes from. An interface so that tests move time themselves. Thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual TimePoint now() const = 0;  // never goes back
  virtual WallTime wall() const = 0;  // may jump when the host's clock is set
};

class SystemClock final : public Clock {
 public:
  TimePoint now() const override;
  WallTime wall() const override;
};

// Appends the time as JSON number with six decimals: 1763838000.123456. Seventeen bytes until the
// year 2286.
void append_timestamp(std::string& out, WallTime time);

}  // namespace syncrelay
