#include "syncrelay/ws/open_files.h"

#include <sys/resource.h>

#include <algorithm>

namespace syncrelay {

std::uint32_t reserve_open_files(std::uint32_t clients) {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return clients;
  const rlim_t wanted = static_cast<rlim_t>(clients) + kSpareFiles;
  limit.rlim_cur = std::min(wanted, limit.rlim_max);
  if (setrlimit(RLIMIT_NOFILE, &limit) != 0) getrlimit(RLIMIT_NOFILE, &limit);
  if (limit.rlim_cur >= wanted) return clients;
  return static_cast<std::uint32_t>(limit.rlim_cur > 2 * kSpareFiles ? limit.rlim_cur - kSpareFiles
                                                                     : limit.rlim_cur / 2);
}

}  // namespace syncrelay
