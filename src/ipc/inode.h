#pragma once

#include <sys/stat.h>

namespace syncrelay {

// Of an open file; 0: there is none of this number. A descriptor that shows another one than before
// is another file by now.
inline ino_t inode_of(int descriptor) {
  struct stat status {};
  return fstat(descriptor, &status) == 0 ? status.st_ino : 0;
}

}  // namespace syncrelay
