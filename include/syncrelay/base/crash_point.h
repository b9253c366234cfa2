#pragma once

#include <string_view>

#ifdef SYNCRELAY_CRASH_POINTS
#include <csignal>
#include <cstdlib>
#include <string>
#endif

namespace syncrelay {

// A place where tests let the process die as by kill -9. Empty unless built with
// -Dcrash_points=true; then SYNCRELAY_CRASH_AT="before_commit:17" in the environment ends the
// process at the 17th pass of the point with this name. Relay thread only.
#ifdef SYNCRELAY_CRASH_POINTS
inline void crash_point(std::string_view name) {
  static const char* const wanted = std::getenv("SYNCRELAY_CRASH_AT");
  static unsigned long passes = 0;
  const std::string_view place = wanted == nullptr ? "" : wanted;
  if (place.substr(0, place.find(':')) != name) return;
  ++passes;
  if (place.substr(place.find(':') + 1) == std::to_string(passes)) std::raise(SIGKILL);
}
#else
constexpr void crash_point(std::string_view) {}
#endif

}  // namespace syncrelay
