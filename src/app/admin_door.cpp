// The part of the premises that is the HTTP door on the admin listener.

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

#include "admin_token.h"
#include "premises.h"
#include "syncrelay/door/openapi.h"
#include "syncrelay/ws/embedded_files.h"
#include "tls_files.h"

namespace syncrelay {

// Of those that are no clients.
std::uint32_t Premises::door_connections() const {
  constexpr std::uint32_t kMost = 128;
  constexpr std::uint32_t kShare = 4;
  return config.admin ? std::min(kMost, files.other_connections / kShare) : 0;
}

std::unique_ptr<Door> Premises::make_admin_door(Errands& errands, const Status& status) {
  if (!config.admin) return nullptr;
  const Door::Settings settings{.max_body = static_cast<std::size_t>(config.max_command),
                                .handshake_timeout = config.handshake_timeout,
                                .connections = std::max(door_connections(), 2U),
                                .tls = config.admin_tls ? &tls_files->server() : nullptr};
  const BearerSecret* const secret = admin_token ? &admin_token->secret() : nullptr;
  return std::make_unique<Door>(settings, Door::Parts{.errands = errands,
                                                      .hosts = hosts_,
                                                      .secret = secret,
                                                      .status = status,
                                                      .stats = admin_stats,
                                                      .clock = clock,
                                                      .log = log,
                                                      .files = admin_page,
                                                      .openapi = openapi_text()});
}

// What is asked for together with the numbers: what they are measured against.
std::string Premises::limits() const {
  const std::pair<std::string_view, std::uint64_t> bounds[] = {
      {"clients", files.clients},
      {"state_bytes", config.max_state},
      {"state_keys", config.max_state_keys},
      {"log_bytes", config.log_bytes},
      {"log_events", config.log_events},
      {"channels", config.max_channels},
      {"members", config.max_members},
      {"inbox_messages", config.inbox_messages},
      {"inbox_bytes", config.inbox_bytes},
      {"ids", config.dedup_ids},
      {"command_connections", files.command_connections},
  };
  std::string members = R"("limits":{)";
  for (const auto& [name, bound] : bounds) {
    if (members.back() != '{') members += ',';
    members.append("\"").append(name).append("\":").append(std::to_string(bound));
  }
  const char* const storage = config.data.empty()                      ? "off"
                              : config.durability == Durability::power ? "power"
                                                                       : "process";
  members.append(R"(},"storage":")").append(storage);
  members.append(R"(","cluster":)").append(config.cluster.empty() ? "false" : "true");
  members.append(R"(,"version":")").append(SYNCRELAY_VERSION).append(R"(","started":)");
  append_timestamp(members, began_);
  return members;
}

}  // namespace syncrelay
