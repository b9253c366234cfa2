#include "syncrelay/base/crc64.h"

#include <array>
#include <cstddef>

namespace syncrelay {
namespace {

constexpr std::uint64_t kPolynomial = 0xC96C5795D7870F42;
constexpr std::size_t kStep = 8;  // bytes

using Table = std::array<std::uint64_t, 256>;

// Table k: what a byte does to the sum when k more bytes follow it.
constexpr std::array<Table, kStep> make_tables() {
  std::array<Table, kStep> tables{};
  for (std::uint64_t byte = 0; byte < 256; ++byte) {
    std::uint64_t sum = byte;
    for (int bit = 0; bit < 8; ++bit) sum = (sum >> 1) ^ ((sum & 1) != 0 ? kPolynomial : 0);
    tables[0][byte] = sum;
  }
  for (std::size_t k = 1; k < kStep; ++k) {
    for (std::size_t byte = 0; byte < 256; ++byte) {
      const std::uint64_t before = tables[k - 1][byte];
      tables[k][byte] = (before >> 8) ^ tables[0][before & 0xFF];
    }
  }
  return tables;
}

constexpr std::array<Table, kStep> kTables = make_tables();

std::uint64_t little_endian(const char* bytes) {
  std::uint64_t number = 0;
  for (std::size_t k = 0; k < kStep; ++k)
    number |= std::uint64_t{static_cast<unsigned char>(bytes[k])} << (8 * k);
  return number;
}

std::uint64_t step(std::uint64_t mixed) {
  std::uint64_t sum = 0;
  for (std::size_t k = 0; k < kStep; ++k) sum ^= kTables[kStep - 1 - k][(mixed >> (8 * k)) & 0xFF];
  return sum;
}

}  // namespace

Crc64& Crc64::add(std::string_view bytes) {
  for (; bytes.size() >= kStep; bytes.remove_prefix(kStep))
    state_ = step(state_ ^ little_endian(bytes.data()));
  for (const char byte : bytes)
    state_ = (state_ >> 8) ^ kTables[0][(state_ ^ static_cast<unsigned char>(byte)) & 0xFF];
  return *this;
}

Crc64& Crc64::add(std::uint64_t number) {
  state_ = step(state_ ^ number);
  return *this;
}

}  // namespace syncrelay
