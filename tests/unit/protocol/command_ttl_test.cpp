#include <doctest/doctest.h>

#include <string>

#include "syncrelay/protocol/command_decoder.h"

namespace syncrelay {
namespace {

// The milliseconds that `ttl` keeps of this JSON number; -1: it is refused as such.
std::int64_t ms_of(const std::string& number) {
  CommandDecoder decoder(1 << 24);
  const std::string message = R"({"op":"set","key":"k","value":1,"ttl":)" + number + "}";
  const auto command = decoder.decode(message);
  if (command) return command.value()->ttl.value().count();
  CHECK(command.error().reason == RejectReason::invalid_ttl);
  return -1;
}

TEST_CASE("A time to live is any number of seconds, to the millisecond") {
  CHECK(ms_of("5") == 5000);
  CHECK(ms_of("1.5") == 1500);
  CHECK(ms_of("0.001") == 1);
  CHECK(ms_of("0.07") == 70);
  CHECK(ms_of("1.001") == 1001);
  CHECK(ms_of("1e2") == 100'000);
  CHECK(ms_of("1E+2") == 100'000);
  CHECK(ms_of("25e-1") == 2500);
  CHECK(ms_of("0.00025e4") == 2500);
  CHECK(ms_of("31536000") == 31'536'000'000);
  CHECK(ms_of("31536000.000") == 31'536'000'000);
  CHECK(ms_of("0.31536e8") == 31'536'000'000);
}

TEST_CASE("A part of a millisecond counts as a whole one") {
  CHECK(ms_of("0.0001") == 1);
  CHECK(ms_of("1e-400") == 1);
  CHECK(ms_of("1e-99999999999999999999") == 1);
  CHECK(ms_of("1.0000000000000000000000000001") == 1001);
  CHECK(ms_of("1.00000000000000000000000000000") == 1000);
  CHECK(ms_of("0." + std::string(100'000, '0') + "1") == 1);
}

TEST_CASE("A time to live is over 0 and at most a year") {
  for (const char* other :
       {"0", "0.000", "0e99", "-0", "-1", "-0.5", "-1e-400", "31536000.0001", "31536001", "1e8",
        "1e400", "1e99999999999999999999", "99999999999999999999999999"}) {
    CAPTURE(other);
    CHECK(ms_of(other) == -1);
  }
  CHECK(ms_of(std::string(100'000, '9')) == -1);
  CHECK(ms_of("0." + std::string(100'000, '0') + "1e100002") == 10'000);
}

}  // namespace
}  // namespace syncrelay
