#include "syncrelay/base/standard_streams.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>

namespace syncrelay {
namespace {

// Another process may have set O_NONBLOCK: the flag belongs to all that share the stream.
bool wait_for_room(int fd) {
  pollfd waited{fd, POLLOUT, 0};
  return poll(&waited, 1, -1) >= 0 || errno == EINTR;
}

}  // namespace

void occupy_standard_streams() {
  if (fcntl(STDIN_FILENO, F_GETFD) < 0) open("/dev/null", O_WRONLY);  // the lowest number is free
  int fd = 0;
  while (fd >= 0 && fd <= STDERR_FILENO) fd = open("/dev/null", O_RDWR);
  if (fd > STDERR_FILENO) close(fd);
}

bool write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = write(fd, text.data(), text.size());
    if (written >= 0) {
      text.remove_prefix(static_cast<std::size_t>(written));
    } else if (errno == EAGAIN) {
      if (!wait_for_room(fd)) return false;
    } else if (errno != EINTR) {
      return false;
    }
  }
  return true;
}

}  // namespace syncrelay
