#include "syncrelay/base/crc64.h"

#include <doctest/doctest.h>

#include <cstddef>
#include <string>

namespace syncrelay {
namespace {

std::uint64_t sum_of(std::string_view bytes) {
  return Crc64().add(bytes).value();
}

TEST_CASE("Sums are those of CRC-64/XZ") {
  CHECK(sum_of("") == 0);
  CHECK(sum_of("123456789") == 0x995DC9BBDF1939FA);
  CHECK(sum_of("a") == 0x330284772E652B05);
}

TEST_CASE("A sum does not depend on the pieces in which the bytes come") {
  std::string text;
  for (int byte = 0; byte < 100; ++byte) text += static_cast<char>(byte * 37);
  for (std::size_t cut = 0; cut <= text.size(); ++cut)
    CHECK(Crc64().add(text.substr(0, cut)).add(text.substr(cut)).value() == sum_of(text));
}

TEST_CASE("A number counts as its eight bytes, the lowest first") {
  CHECK(Crc64().add(0x3837363534333231).add("9").value() == sum_of("123456789"));
}

TEST_CASE("Every single flipped bit changes the sum") {
  const std::string text = "twenty-one bytes long";
  for (std::size_t bit = 0; bit < 8 * text.size(); ++bit) {
    std::string flipped = text;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << (bit % 8)));
    CHECK(sum_of(flipped) != sum_of(text));
  }
}

}  // namespace
}  // namespace syncrelay
