#pragma once

#include <sys/types.h>

#include <cstdint>
#include <vector>

namespace syncrelay::bench {

// What the server's processes have used, all threads together, read from /proc.
struct ServerUsage {
  double cpu_us;  // on a CPU since their start
  std::uint64_t rss_bytes;

  // Throws std::runtime_error when a process is gone.
  static ServerUsage of(const std::vector<pid_t>& pids);
};

}  // namespace syncrelay::bench
