#include "syncrelay/base/clock.h"

#include <doctest/doctest.h>

namespace syncrelay {
namespace {

std::string timestamp(std::int64_t microseconds) {
  std::string text = "at ";
  append_timestamp(text, {microseconds});
  return text;
}

TEST_CASE("A timestamp is appended as seconds with six decimals") {
  CHECK(timestamp(1'763'838'000'123'456) == "at 1763838000.123456");
  CHECK(timestamp(1'763'838'000'000'007) == "at 1763838000.000007");
  CHECK(timestamp(1'763'838'000'000'000) == "at 1763838000.000000");
  CHECK(timestamp(1'763'838'000'999'999) == "at 1763838000.999999");
  CHECK(timestamp(0) == "at 0.000000");
  CHECK(timestamp(9'999'999'999'999'999) == "at 9999999999.999999");
}

TEST_CASE("The system's clocks run in the units they promise") {
  const SystemClock clock;
  const TimePoint before = clock.now();
  CHECK(clock.now() >= before);
  CHECK(clock.wall().microseconds > 1'700'000'000'000'000);
  CHECK(clock.wall().microseconds < 9'999'999'999'999'999);
}

}  // namespace
}  // namespace syncrelay
