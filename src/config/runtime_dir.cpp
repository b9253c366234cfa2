#include "syncrelay/config/runtime_dir.h"

namespace syncrelay {
namespace {

std::string endpoint_in(std::string_view runtime_dir, std::string_view name) {
  std::string endpoint = "ipc://";
  endpoint += runtime_dir;
  if (!runtime_dir.ends_with('/')) endpoint += '/';
  return endpoint.append(name);
}

}  // namespace

std::string default_runtime_dir(uid_t user) {
  return "/tmp/syncrelay-" + std::to_string(user);
}

std::string default_commands_endpoint(std::string_view runtime_dir) {
  return endpoint_in(runtime_dir, "commands.sock");
}

std::string default_control_endpoint(std::string_view runtime_dir) {
  return endpoint_in(runtime_dir, "control.sock");
}

}  // namespace syncrelay
