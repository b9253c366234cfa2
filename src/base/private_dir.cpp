#include "syncrelay/base/private_dir.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace syncrelay {
namespace {

std::string system_error(const std::string& what) {
  return what + ": " + std::strerror(errno);
}

}  // namespace

Result<void, std::string> prepare_private_dir(const std::string& path) {
  if (mkdir(path.c_str(), 0700) != 0 && errno != EEXIST)
    return system_error("cannot make the directory " + path);
  struct stat status {};
  if (lstat(path.c_str(), &status) != 0)
    return system_error("cannot look at the directory " + path);
  if (!S_ISDIR(status.st_mode)) return "the directory " + path + " is not a directory";
  if (status.st_uid != geteuid()) {
    return "the directory " + path + " belongs to user " + std::to_string(status.st_uid) +
           ", not to user " + std::to_string(geteuid()) + " who runs this process";
  }
  return {};
}

}  // namespace syncrelay
