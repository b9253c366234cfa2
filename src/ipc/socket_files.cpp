#include "syncrelay/ipc/socket_files.h"

#include <grp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <string_view>

namespace syncrelay {
namespace {

constexpr std::string_view kIpcScheme = "ipc://";

std::string system_error(const std::string& what) {
  return what + ": " + std::strerror(errno);
}

// A group's id by its name or by the number itself.
std::optional<gid_t> group_id(const std::string& group) {
  if (const struct group* entry = getgrnam(group.c_str())) return entry->gr_gid;
  gid_t id = 0;
  const auto [end, error] = std::from_chars(group.data(), group.data() + group.size(), id);
  if (error != std::errc() || end != group.data() + group.size()) return std::nullopt;
  return id;
}

}  // namespace

std::optional<std::string> ipc_path(const std::string& endpoint) {
  if (endpoint.compare(0, kIpcScheme.size(), kIpcScheme) != 0) return std::nullopt;
  return endpoint.substr(kIpcScheme.size());
}

Result<void, std::string> grant_access(const std::string& path, const SocketAccess& access) {
  if (!access.group.empty()) {
    const auto group = group_id(access.group);
    if (!group) return "there is no group " + access.group + " (--ipc-group)";
    if (chown(path.c_str(), static_cast<uid_t>(-1), *group) != 0) {
      return system_error("cannot give " + path + " to group " + access.group);
    }
  }
  if (chmod(path.c_str(), access.mode) != 0) return system_error("cannot set the mode of " + path);
  return {};
}

UmaskScope::UmaskScope(mode_t mode) : previous_(umask(0777 & ~mode)) {}

UmaskScope::~UmaskScope() {
  umask(previous_);
}

}  // namespace syncrelay
