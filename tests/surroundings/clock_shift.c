/* Preloaded into a relay: its wall clock is off by the seconds in $CLOCK_SHIFT_FILE, an int64 that
   may change at any time. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>

static int (*real_clock_gettime)(clockid_t, struct timespec*);
static const volatile int64_t* shift;

__attribute__((constructor)) static void open_shift(void) {
  real_clock_gettime = (int (*)(clockid_t, struct timespec*))dlsym(RTLD_NEXT, "clock_gettime");
  const int file = open(getenv("CLOCK_SHIFT_FILE"), O_RDONLY | O_CLOEXEC);
  void* const mapped = mmap(NULL, sizeof *shift, PROT_READ, MAP_SHARED, file, 0);
  if (mapped == MAP_FAILED) abort();
  shift = mapped;
}

int clock_gettime(clockid_t clock, struct timespec* now) {
  if (real_clock_gettime == NULL) open_shift();
  const int result = real_clock_gettime(clock, now);
  if (clock == CLOCK_REALTIME) now->tv_sec += *shift;
  return result;
}
