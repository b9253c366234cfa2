#include "syncrelay/base/clock.h"

#include <chrono>

namespace syncrelay {

TimePoint SystemClock::now() const {
  return std::chrono::steady_clock::now();
}

WallTime SystemClock::wall() const {
  const auto since_1970 = std::chrono::system_clock::now().time_since_epoch();
  return {std::chrono::duration_cast<std::chrono::microseconds>(since_1970).count()};
}

// By hand: every event has one.
void append_timestamp(std::string& out, WallTime time) {
  constexpr std::int64_t kPerSecond = 1'000'000;
  constexpr int kDecimals = 6;
  out += std::to_string(time.microseconds / kPerSecond);
  char fraction[1 + kDecimals] = {'.'};
  std::int64_t rest = time.microseconds % kPerSecond;
  for (int digit = kDecimals; digit > 0; --digit, rest /= 10)
    fraction[digit] = static_cast<char>('0' + rest % 10);
  out.append(fraction, sizeof fraction);
}

}  // namespace syncrelay
