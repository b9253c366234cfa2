#pragma once

#include <cstdint>
#include <string_view>

namespace syncrelay {

// CRC-64/XZ (ECMA-182, reflected), fed piece by piece. Finds damage, no forgery. Eight bytes a
// step, so that summing costs little beside writing.
class Crc64 {
 public:
  Crc64& add(std::string_view bytes);
  Crc64& add(std::uint64_t number);  // as eight bytes, the lowest first

  std::uint64_t value() const { return ~state_; }

 private:
  std::uint64_t state_ = ~std::uint64_t{0};
};

}  // namespace syncrelay
