#include "relay_place.h"

#include <sys/stat.h>

#include <string_view>

#include "syncrelay/base/private_dir.h"
#include "syncrelay/config/address.h"

namespace syncrelay {

RelayPlace relay_place(const Invocation& invocation) {
  const Config& config = invocation.config;
  RelayPlace place;
  place.endpoint = config.control;
  if (invocation.control_in_tmp) place.own_dir = config.runtime_dir;
  if (!config::is_tcp_endpoint(config.control)) return place;
  place.server_key = config.curve_server_key;
  place.key = config.curve_key;
  return place;
}

Result<void, std::string> secure_place(const RelayPlace& place) {
  if (place.own_dir.empty()) return {};
  auto prepared = prepare_private_dir(place.own_dir);
  if (prepared) return prepared;
  return "refused to ask at " + place.endpoint + ": " + prepared.error() +
         ": give the relay and this command a --runtime-dir of your own";
}

std::optional<uid_t> owner_of_socket(const RelayPlace& place) {
  constexpr std::string_view kIpc = "ipc://";
  struct stat status {};
  if (!place.endpoint.starts_with(kIpc)) return std::nullopt;
  if (lstat(place.endpoint.c_str() + kIpc.size(), &status) != 0) return std::nullopt;
  return status.st_uid;
}

}  // namespace syncrelay
