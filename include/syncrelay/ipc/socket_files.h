#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>

#include "syncrelay/base/result.h"

namespace syncrelay {

// Who may connect to the sockets that lie in the file system.
struct SocketAccess {
  mode_t mode;
  std::string group;  // empty: as created
};

// The path of an ipc:// endpoint; nullopt for any other.
std::optional<std::string> ipc_path(const std::string& endpoint);

// Sets mode and group of a socket file that was just bound.
Result<void, std::string> grant_access(const std::string& path, const SocketAccess& access);

// Keeps what is created in its scope from being open to more than `mode` for even a moment.
// Process-wide: only while no other thread creates files.
class UmaskScope {
 public:
  explicit UmaskScope(mode_t mode);
  ~UmaskScope();
  UmaskScope(const UmaskScope&) = delete;
  UmaskScope& operator=(const UmaskScope&) = delete;

 private:
  mode_t previous_;
};

}  // namespace syncrelay
