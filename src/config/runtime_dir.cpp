#include "syncrelay/config/runtime_dir.h"

namespace syncrelay {

std::string default_runtime_dir(uid_t user) {
  return "/tmp/syncrelay-" + std::to_string(user);
}

std::string default_commands_endpoint(std::string_view runtime_dir) {
  std::string endpoint = "ipc://";
  endpoint += runtime_dir;
  if (!runtime_dir.ends_with('/')) endpoint += '/';
  return endpoint + "commands.sock";
}

}  // namespace syncrelay
