#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace syncrelay {

// Numbers of eight bytes in a blob, the highest byte first.
inline constexpr std::size_t kNumberBytes = 8;

inline void append_number(std::string& blob, std::uint64_t number) {
  for (std::size_t byte = kNumberBytes; byte-- > 0;)
    blob += static_cast<char>(static_cast<unsigned char>(number >> (8 * byte)));
}

// Precondition: the blob is long enough.
inline std::uint64_t take_number(std::string_view& blob) {
  std::uint64_t number = 0;
  for (const char byte : blob.substr(0, kNumberBytes))
    number = number << 8 | static_cast<unsigned char>(byte);
  blob.remove_prefix(kNumberBytes);
  return number;
}

}  // namespace syncrelay
