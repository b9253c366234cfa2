#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

#include "syncrelay/base/descriptor.h"
#include "syncrelay/base/result.h"

namespace syncrelay {

// A backup as a relay makes it in its data directory, to be taken away. Both the directory and the
// file are held open from the check on, so that no name leads to another file meanwhile. Any
// thread, one at a time.
class MadeBackup {
 public:
  // An error when there is no such backup at `path`: a regular file with one name, the one that
  // relays use, that begins as a backup does and belongs to `owner` (without one: to the owner of
  // its directory).
  static Result<MadeBackup, std::string> find(const std::string& path, std::optional<uid_t> owner);

  const std::string& directory() const { return directory_; }

  // Moves it to `path`, which must not be there, also to another disk. The file is whole and on the
  // disk when it appears; only then the one that was made goes. After an error it is still there.
  Result<void, std::string> move_to(const std::string& path);

  // Deletes it, unless a later backup has taken its place.
  void remove();

 private:
  MadeBackup() = default;

  std::string path_;
  std::string directory_;
  Descriptor directory_file_;
  Descriptor file_;
};

}  // namespace syncrelay
