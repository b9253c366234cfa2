#include "syncrelay/ipc/lock_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

namespace syncrelay {
namespace {

std::string holder(int fd) {
  std::array<char, 32> text{};
  const ssize_t size = pread(fd, text.data(), text.size() - 1, 0);
  std::string pid(text.data(), size > 0 ? static_cast<std::size_t>(size) : 0);
  pid = pid.substr(0, pid.find('\n'));
  return pid.empty() ? "another process" : "process " + pid;
}

// As far as there is room: it only informs, and a full disk is no reason not to start. In place,
// since what is given back to a full disk may not be had again.
void write_pid(int fd) {
  constexpr std::size_t kWidth = 20;
  std::string pid = std::to_string(getpid()) + '\n';
  pid.resize(std::max(pid.size(), kWidth), '\n');
  if (pwrite(fd, pid.data(), pid.size(), 0) != static_cast<ssize_t>(pid.size())) return;
}

}  // namespace

Result<LockFile, std::string> LockFile::acquire(const std::string& path) {
  const int fd = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0) return "cannot open the lock file " + path + ": " + std::strerror(errno);
  LockFile lock(fd);
  if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK) return "another relay is running: " + holder(fd) + " holds " + path;
    return "cannot lock " + path + ": " + std::strerror(errno);
  }
  if (fchmod(fd, 0600) != 0) return "cannot write " + path + ": " + std::strerror(errno);
  write_pid(fd);
  return lock;
}

LockFile::LockFile(LockFile&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

LockFile& LockFile::operator=(LockFile&& other) noexcept {
  std::swap(fd_, other.fd_);
  return *this;
}

LockFile::~LockFile() {
  if (fd_ >= 0) close(fd_);
}

}  // namespace syncrelay
