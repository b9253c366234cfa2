#pragma once

#include <cerrno>
#include <cstring>
#include <string>

namespace syncrelay {

// What a call into the system could not do, and why: errno, as it is now.
inline std::string system_error(const std::string& what) {
  return what + ": " + std::strerror(errno);
}

}  // namespace syncrelay
