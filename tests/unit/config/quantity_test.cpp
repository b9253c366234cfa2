#include "syncrelay/config/quantity.h"

#include <doctest/doctest.h>

namespace syncrelay::config {
namespace {

using namespace std::chrono_literals;

TEST_CASE("A duration is a number of seconds or has a unit") {
  CHECK(parse_duration("20") == 20s);
  CHECK(parse_duration("20s") == 20s);
  CHECK(parse_duration("500ms") == 500ms);
  CHECK(parse_duration("5m") == 5min);
  CHECK(parse_duration("2h") == 2h);
  CHECK(parse_duration("0") == 0ms);
}

TEST_CASE("What is no duration is refused") {
  for (const char* text :
       {"", "s", "ms", "-1", "+1", "1.5s", "1 s", " 1", "1d", "1S", "1sm", "0x1"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_duration(text));
  }
}

TEST_CASE("A duration that does not fit is refused") {
  CHECK_FALSE(parse_duration("18446744073709551616ms"));
  CHECK_FALSE(parse_duration("9223372036854775808ms"));
  CHECK_FALSE(parse_duration("18446744073709552s"));
  CHECK(parse_duration("9223372036854775807ms").has_value());
}

TEST_CASE("A size is a number of bytes or has a binary unit") {
  CHECK(parse_size("16777216") == 16777216);
  CHECK(parse_size("16MiB") == 16777216);
  CHECK(parse_size("64KiB") == 65536);
  CHECK(parse_size("1GiB") == 1073741824);
}

TEST_CASE("What is no size is refused, decimal units included") {
  for (const char* text : {"", "KiB", "1K", "1KB", "1kib", "1 KiB", "1.5MiB", "-1", "1TiB"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_size(text));
  }
}

TEST_CASE("A size that does not fit is refused") {
  CHECK_FALSE(parse_size("17179869184GiB"));
  CHECK(parse_size("17179869183GiB").has_value());
  CHECK_FALSE(parse_size("18446744073709551616"));
}

TEST_CASE("Octal numbers may begin with 0 or 0o") {
  CHECK(parse_octal("660") == 0660);
  CHECK(parse_octal("0660") == 0660);
  CHECK(parse_octal("0o660") == 0660);
  CHECK_FALSE(parse_octal("680"));
  CHECK_FALSE(parse_octal("0o"));
  CHECK_FALSE(parse_octal(""));
}

TEST_CASE("Formatted quantities are short and read back as they were") {
  CHECK(format_size(65536) == "64KiB");
  CHECK(format_size(65537) == "65537");
  CHECK(format_size(0) == "0");
  CHECK(format_duration(20s) == "20s");
  CHECK(format_duration(60s) == "60s");
  CHECK(format_duration(1501ms) == "1501ms");
  CHECK(format_duration(2h) == "2h");
  CHECK(format_duration(0ms) == "0s");
  for (const auto duration : {0ms, 1ms, 1000ms, 61'000ms, 3'600'000ms, 3'600'001ms}) {
    CHECK(parse_duration(format_duration(duration)) == duration);
  }
  for (const std::uint64_t size : {0ULL, 1ULL, 1024ULL, 1025ULL, 1ULL << 20, 3ULL << 30, ~0ULL}) {
    CHECK(parse_size(format_size(size)) == size);
  }
}

}  // namespace
}  // namespace syncrelay::config
