// The part of the server that is the HTTP door on the admin listener.

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

#include "admin_token.h"
#include "syncrelay/app/server.h"
#include "syncrelay/door/openapi.h"
#include "tls_files.h"

namespace syncrelay {

Result<void, std::string> Server::load_admin_token() {
  if (config_.admin_token.empty()) return {};
  admin_token_ = std::make_unique<AdminToken>(config_, log_);
  return admin_token_->load();
}

// Of those that are no clients.
std::uint32_t Server::door_connections() const {
  constexpr std::uint32_t kMost = 128;
  constexpr std::uint32_t kShare = 4;
  return config_.admin ? std::min(kMost, files_.other_connections / kShare) : 0;
}

void Server::build_door() {
  if (!config_.admin) return;
  errands_ = std::make_unique<Errands>([this] { relay_wake_.set(); }, [this] { door_->wake(); });
  const Door::Settings settings{.max_body = static_cast<std::size_t>(config_.max_command),
                                .handshake_timeout = config_.handshake_timeout,
                                .connections = std::max(door_connections(), 2U),
                                .tls = config_.admin_tls ? &tls_files_->server() : nullptr};
  const BearerSecret* const secret = admin_token_ ? &admin_token_->secret() : nullptr;
  door_ = std::make_unique<Door>(settings, Door::Parts{.errands = *errands_,
                                                       .hosts = *hosts_,
                                                       .secret = secret,
                                                       .status = *status_,
                                                       .stats = door_stats_,
                                                       .clock = clock_,
                                                       .log = log_,
                                                       .files = {},
                                                       .openapi = openapi_text()});
  status_->door = &door_stats_;
}

// What is asked for together with the numbers: what they are measured against.
std::string Server::limits() const {
  const std::pair<std::string_view, std::uint64_t> kBounds[] = {
      {"clients", files_.clients},
      {"state_bytes", config_.max_state},
      {"state_keys", config_.max_state_keys},
      {"log_bytes", config_.log_bytes},
      {"log_events", config_.log_events},
      {"channels", config_.max_channels},
      {"members", config_.max_members},
      {"inbox_messages", config_.inbox_messages},
      {"inbox_bytes", config_.inbox_bytes},
      {"ids", config_.dedup_ids},
      {"command_connections", files_.command_connections},
  };
  std::string members = R"("limits":{)";
  for (const auto& [name, bound] : kBounds) {
    if (members.back() != '{') members += ',';
    members.append("\"").append(name).append("\":").append(std::to_string(bound));
  }
  const char* const storage = config_.data.empty()                      ? "off"
                              : config_.durability == Durability::power ? "power"
                                                                        : "process";
  members.append(R"(},"storage":")").append(storage);
  members.append(R"(","cluster":)").append(config_.cluster.empty() ? "false" : "true");
  members.append(R"(,"version":")").append(SYNCRELAY_VERSION).append(R"(","started":)");
  append_timestamp(members, clock_.wall());
  return members;
}

}  // namespace syncrelay
