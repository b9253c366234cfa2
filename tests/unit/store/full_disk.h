#pragma once

#include <sys/resource.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <string>

namespace syncrelay {

// Files may not grow beyond what they are, as on a full disk.
class FullDisk {
 public:
  explicit FullDisk(const std::string& directory) {
    std::signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &before_);
    rlimit limit = before_;
    limit.rlim_cur = 0;
    for (const auto& entry : std::filesystem::directory_iterator(directory)) {
      limit.rlim_cur = std::max<rlim_t>(limit.rlim_cur, entry.file_size());
    }
    setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FullDisk() { setrlimit(RLIMIT_FSIZE, &before_); }
  FullDisk(const FullDisk&) = delete;
  FullDisk& operator=(const FullDisk&) = delete;

 private:
  rlimit before_{};
};

}  // namespace syncrelay
