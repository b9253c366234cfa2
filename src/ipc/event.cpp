#include "event.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cstdint>

namespace syncrelay {

Event::Event() : fd_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

Event::~Event() {
  close(fd_);
}

void Event::set() {
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto written = write(fd_, &one, sizeof one);
}

void Event::clear() {
  std::uint64_t count = 0;
  [[maybe_unused]] const auto size = read(fd_, &count, sizeof count);
}

}  // namespace syncrelay
