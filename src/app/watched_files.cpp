#include "watched_files.h"

namespace syncrelay {

namespace {

bool same(const timespec& one, const timespec& other) {
  return one.tv_sec == other.tv_sec && one.tv_nsec == other.tv_nsec;
}

}  // namespace

bool WatchedFiles::Mark::operator==(const Mark& other) const {
  return there == other.there && device == other.device && inode == other.inode &&
         size == other.size && same(modified, other.modified) && same(changed, other.changed);
}

WatchedFiles::Mark WatchedFiles::mark_of(const std::string& path) {
  struct stat found {};
  if (stat(path.c_str(), &found) != 0) return {};
  return {true, found.st_dev, found.st_ino, found.st_size, found.st_mtim, found.st_ctim};
}

// Marked before it is read: what is written meanwhile is seen as another one then.
Result<std::string, FileError> WatchedFiles::read(std::size_t index) {
  read_[index] = mark_of(paths_[index]);
  return read_text_file(paths_[index]);
}

bool WatchedFiles::changed() const {
  for (std::size_t index = 0; index < paths_.size(); ++index) {
    if (!(mark_of(paths_[index]) == read_[index])) return true;
  }
  return false;
}

}  // namespace syncrelay
