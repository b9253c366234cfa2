#pragma once

#include <string>

#include "syncrelay/base/result.h"

namespace syncrelay {

// Holds a file locked for the life of the process, so that a second relay cannot silently take over
// the first one's socket (ZeroMQ would let it). The kernel lets go of it however the process ends;
// the file itself stays.
class LockFile {
 public:
  // The error names the process that holds the lock.
  static Result<LockFile, std::string> acquire(const std::string& path);

  LockFile(LockFile&& other) noexcept;
  LockFile& operator=(LockFile&& other) noexcept;
  ~LockFile();

 private:
  explicit LockFile(int fd) : fd_(fd) {}

  int fd_;
};

}  // namespace syncrelay
