#include "syncrelay/base/wake.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cstdint>

namespace syncrelay {

Wake::Wake() : fd_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

Wake::~Wake() {
  close(fd_);
}

void Wake::set() {
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto written = write(fd_, &one, sizeof one);
}

void Wake::clear() {
  std::uint64_t count = 0;
  [[maybe_unused]] const auto size = read(fd_, &count, sizeof count);
}

}  // namespace syncrelay
