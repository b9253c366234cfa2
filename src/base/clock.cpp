#include "syncrelay/base/clock.h"

#include <cstdio>

namespace syncrelay {

TimePoint SystemClock::now() const {
  return std::chrono::steady_clock::now();
}

WallTime SystemClock::wall() const {
  const auto since_1970 = std::chrono::system_clock::now().time_since_epoch();
  return {std::chrono::duration_cast<std::chrono::microseconds>(since_1970).count()};
}

void append_timestamp(std::string& out, WallTime time) {
  constexpr std::int64_t kPerSecond = 1'000'000;
  char fraction[16];
  std::snprintf(fraction, sizeof fraction, ".%06d",
                static_cast<int>(time.microseconds % kPerSecond));
  out += std::to_string(time.microseconds / kPerSecond);
  out.append(fraction, 7);
}

}  // namespace syncrelay
