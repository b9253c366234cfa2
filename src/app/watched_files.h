#pragma once

#include <sys/stat.h>

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "syncrelay/config/text_file.h"

namespace syncrelay {

// Files that are read at the start, and again when one of them has changed. One thread at a time.
class WatchedFiles {
 public:
  explicit WatchedFiles(std::vector<std::string> paths)
      : paths_(std::move(paths)), read_(paths_.size()) {}

  const std::string& path(std::size_t index) const { return paths_[index]; }

  // Reads the one at `index`.
  Result<std::string, FileError> read(std::size_t index);

  // One of them is another one than that which was read last.
  bool changed() const;

 private:
  // By which a file that was written anew is told from the one before.
  struct Mark {
    bool there = false;
    dev_t device = 0;
    ino_t inode = 0;
    off_t size = 0;
    timespec modified{};
    timespec changed{};  // nobody can set this one back
    bool operator==(const Mark& other) const;
  };

  static Mark mark_of(const std::string& path);

  const std::vector<std::string> paths_;
  std::vector<Mark> read_;  // what was tried last
};

}  // namespace syncrelay
