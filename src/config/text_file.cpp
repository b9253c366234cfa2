#include "syncrelay/config/text_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <system_error>

namespace syncrelay {
namespace {

constexpr std::size_t kMaxFile = 1U << 20;

FileError last_error() {
  return {std::generic_category().message(errno)};
}

// Closes when it goes.
struct Descriptor {
  int number;
  explicit Descriptor(int n) : number(n) {}
  ~Descriptor() { close(number); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
};

Result<std::string, FileError> read_all(int file) {
  std::string text(kMaxFile + 1, '\0');
  std::size_t size = 0;
  while (size < text.size()) {
    const ssize_t got = read(file, text.data() + size, text.size() - size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return last_error();
    if (got == 0) break;
    size += static_cast<std::size_t>(got);
  }
  if (size > kMaxFile) return FileError{"larger than 1 MiB"};
  text.resize(size);
  return text;
}

}  // namespace

Result<std::string, FileError> read_text_file(const std::string& path) {
  // Non-blocking: opening a FIFO that nobody writes to would wait for ever.
  const int number = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (number < 0) return last_error();
  const Descriptor file(number);
  struct stat status {};
  if (fstat(file.number, &status) != 0) return last_error();
  if (!S_ISREG(status.st_mode)) return FileError{"not a regular file"};
  return read_all(file.number);
}

}  // namespace syncrelay
