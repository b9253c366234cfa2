#include "syncrelay/base/clock.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cstddef>

namespace syncrelay {

TimePoint SystemClock::now() const {
  return std::chrono::steady_clock::now();
}

WallTime SystemClock::wall() const {
  const auto since_1970 = std::chrono::system_clock::now().time_since_epoch();
  return {std::chrono::duration_cast<std::chrono::microseconds>(since_1970).count()};
}

// All digits at once and the point between them: every event has one.
void append_timestamp(std::string& out, WallTime time) {
  constexpr std::ptrdiff_t kDecimals = 6;
  std::array<char, 32> digits;
  digits.fill('0');
  const char* const end =
      std::to_chars(digits.data() + kDecimals, digits.data() + digits.size(), time.microseconds)
          .ptr;
  const char* const begin = std::min<const char*>(digits.data() + kDecimals, end - kDecimals - 1);
  out.append(begin, end - kDecimals) += '.';
  out.append(end - kDecimals, end);
}

}  // namespace syncrelay
