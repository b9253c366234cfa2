// Preloaded into a relay: fdatasync() and fsync() fail with EIO as many times as the file $SYNC_FAULT_FILE says (a
// count as 8 bytes, taken down with each failure). As with a real disk, what was written before stays where it is.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

static int fails(void) {
  const char *path = getenv("SYNC_FAULT_FILE");
  int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
  if (fd < 0) return 0;
  int64_t count = 0;
  int failing = pread(fd, &count, sizeof count, 0) == sizeof count && count > 0;
  if (failing) {
    --count;
    if (pwrite(fd, &count, sizeof count, 0) != sizeof count) abort();
    errno = EIO;
  }
  int error = errno;
  close(fd);
  errno = error;
  return failing;
}

int fdatasync(int fd) {
  static int (*real)(int);
  if (!real) real = (int (*)(int))dlsym(RTLD_NEXT, "fdatasync");
  return fails() ? -1 : real(fd);
}

int fsync(int fd) {
  static int (*real)(int);
  if (!real) real = (int (*)(int))dlsym(RTLD_NEXT, "fsync");
  return fails() ? -1 : real(fd);
}
