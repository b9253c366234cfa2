#pragma once

#include <cstddef>

namespace syncrelay {

// Has the processor fetch the first `bytes` of what lies at `object` while others are worked on.
// Where thousands of objects are walked that other work has driven out of the caches, waiting for
// memory is most of what a step costs. Harmless for any address.
inline void prefetch(const void* object, std::size_t bytes) {
  constexpr std::size_t kLine = 64;
  const char* const begin = static_cast<const char*>(object);
  for (std::size_t at = 0; at < bytes; at += kLine) __builtin_prefetch(begin + at);
  __builtin_prefetch(begin + bytes - 1);
}

}  // namespace syncrelay
