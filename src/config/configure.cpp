#include "syncrelay/config/configure.h"

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "syncrelay/base/redis_url.h"
#include "syncrelay/config/address.h"
#include "syncrelay/config/command_line.h"
#include "syncrelay/config/config_file.h"
#include "syncrelay/config/environment.h"
#include "syncrelay/config/runtime_dir.h"
#include "syncrelay/config/secret_text.h"
#include "syncrelay/config/text.h"
#include "syncrelay/config/token_text.h"
#include "syncrelay/config/verb.h"
#include "syncrelay/protocol/channel_name.h"
#include "syncrelay/protocol/limits.h"

namespace syncrelay::config {
namespace {

constexpr char kDefault[] = "default";
constexpr char kRemote[] =
    "is not on a loopback address; whoever reaches it commands the relay: ask for keys by "
    "--curve-key and --curve-clients, or allow it by --allow-remote-commands";

// What is set already stays.
void add_layer(Settings& settings, const Settings& below) {
  for (const auto& [name, setting] : below) settings.emplace(name, setting);
}

UsageError refused(std::string_view option, std::string_view origin, const Refusal& refusal) {
  std::string message(option);
  message.append(" (from ").append(origin).append("): ");
  return {message + quote_for_message(refusal.value) + ' ' + refusal.reason};
}

// The file that the settings so far name, if any.
Result<Settings, UsageError> read_file(const Settings& settings, const InvocationInput& input,
                                       std::span<const Option> table) {
  const auto named = settings.find(kConfigOption);
  if (named == settings.end()) return Settings{};
  const std::string& path = named->second.values.front();
  const auto text = input.read_file(path);
  if (!text) {
    return refused(kConfigOption, named->second.origin,
                   {path, "cannot be read: " + text.error().reason});
  }
  return parse_config_file(text.value(), path, table);
}

std::optional<Refusal> assign(const Option& option, const Setting& setting, Config& config) {
  for (const std::string& value : setting.values) {
    if (!is_utf8(value)) return Refusal{value, "is not valid UTF-8"};
  }
  return option.assign(setting.values, config);
}

bool names_file(const Option& option) {
  return option.placeholder == "FILE";
}

Result<void, UsageError> assign_all(std::span<const Option> table, const Settings& settings,
                                    Invocation& invocation) {
  for (const Option& option : table) {
    const auto found = settings.find(option.name);
    invocation.origins[option.name] = found == settings.end() ? kDefault : found->second.origin;
    if (found == settings.end()) continue;
    const auto refusal = assign(option, found->second, invocation.config);
    if (refusal && names_file(option) && looks_secret(refusal->value))
      return UsageError{option.name + " (from " + found->second.origin +
                        "): what is given looks like the secret itself, and is not shown: name a "
                        "file that holds it"};
    if (refusal) return refused(option.name, found->second.origin, *refusal);
  }
  return {};
}

// The defaults that depend on other values.
void derive_defaults(uid_t user, Invocation& invocation) {
  Config& config = invocation.config;
  if (config.runtime_dir.empty()) config.runtime_dir = default_runtime_dir(user);
  if (invocation.origins.at("commands") == kDefault) {
    config.commands = {default_commands_endpoint(config.runtime_dir)};
  }
  invocation.control_in_tmp =
      invocation.origins.at("runtime-dir") == kDefault && config.control.empty();
  if (config.control.empty()) config.control = default_control_endpoint(config.runtime_dir);
}

// Listening where others reach it needs keys or permission; asking a relay elsewhere does not.
Result<void, UsageError> check_remote(const Invocation& invocation) {
  const Config& config = invocation.config;
  if (config.allow_remote_commands || !config.curve_key.empty() || is_request(invocation.action))
    return {};
  for (const std::string& endpoint : config.commands) {
    if (!is_remote_endpoint(endpoint)) continue;
    return refused("commands", invocation.origins.at("commands"), {endpoint, kRemote});
  }
  if (!is_remote_endpoint(config.control)) return {};
  return refused("control", invocation.origins.at("control"), {config.control, kRemote});
}

UsageError needs(const Invocation& invocation, const std::string& option, std::string_view other) {
  return {option + " (from " + invocation.origins.at(option) + "): needs --" + std::string(other)};
}

// Keys come in pairs: the relay's and those of its peers, or the relay's and that of who asks.
Result<void, UsageError> check_curve(const Invocation& invocation) {
  const Config& config = invocation.config;
  const bool key = !config.curve_key.empty();
  if (invocation.action == Action::serve) {
    const bool clients = !config.curve_clients.empty();
    if (key && !clients) return needs(invocation, "curve-key", "curve-clients");
    if (clients && !key) return needs(invocation, "curve-clients", "curve-key");
    return {};
  }
  if (!is_request(invocation.action) || !is_tcp_endpoint(config.control)) return {};
  const bool server = !config.curve_server_key.empty();
  if (key && !server) return needs(invocation, "curve-key", "curve-server-key");
  if (server && !key) return needs(invocation, "curve-server-key", "curve-key");
  return {};
}

// 0 is for listening alone.
Result<void, UsageError> check_port(const Invocation& invocation) {
  const bool connects = invocation.action == Action::watch || invocation.action == Action::bench ||
                        invocation.action == Action::healthcheck;
  if (!connects || invocation.config.port != 0) return {};
  return refused("port", invocation.origins.at("port"),
                 {"0", "is no port to connect to: give the relay's"});
}

// A certificate is no use without its key, nor TLS without both. Who asks a relay needs neither.
Result<void, UsageError> check_tls(const Invocation& invocation) {
  const Config& config = invocation.config;
  if (invocation.action != Action::serve) return {};
  const bool certificate = !config.tls_cert.empty();
  const bool key = !config.tls_key.empty();
  if (certificate && !key) return needs(invocation, "tls-cert", "tls-key");
  if (key && !certificate) return needs(invocation, "tls-key", "tls-cert");
  if (config.admin_tls && !certificate) return needs(invocation, "admin-tls", "tls-cert");
  if (config.admin_tls && !config.admin) return needs(invocation, "admin-tls", "admin");
  return {};
}

// Whoever reaches the admin listener commands the relay.
Result<void, UsageError> check_admin(const Invocation& invocation) {
  const Config& config = invocation.config;
  if (invocation.action != Action::serve) return {};
  if (!config.admin_token.empty() && !config.admin)
    return needs(invocation, "admin-token", "admin");
  if (!config.admin || !config.admin_token.empty()) return {};
  if (is_loopback(config.admin->host) || config.admin->host == "localhost") return {};
  return refused("admin", invocation.origins.at("admin"),
                 {config.admin->host,
                  "is not a loopback address; whoever reaches it commands the relay: give "
                  "--admin-token FILE, with a token of 32 characters or more in it"});
}

// What says more about tokens would be no use without a key, and the relay open to everybody.
Result<void, UsageError> check_tokens(const Invocation& invocation) {
  const Config& config = invocation.config;
  const bool key = !config.token_key.empty();
  const bool jwks = !config.token_jwks.empty();
  if (key && jwks) {
    return UsageError{"token-jwks (from " + invocation.origins.at("token-jwks") +
                      "): not together with token-key (from " + invocation.origins.at("token-key") +
                      "): put that key into the set"};
  }
  if (key || jwks || invocation.action != Action::serve) return {};
  const std::array<std::pair<const char*, bool>, 5> given = {
      {{"token-issuer", !config.token_issuer.empty()},
       {"token-audience", !config.token_audience.empty()},
       {"token-cookie", !config.token_cookie.empty()},
       {"token-in-url", config.token_in_url},
       {"token-optional", config.token_optional}}};
  for (const auto& [option, is_given] : given) {
    if (is_given) return needs(invocation, option, "token-key or --token-jwks");
  }
  return {};
}

// No message shows the URL, which may hold a password.
Result<void, UsageError> check_cluster(const Invocation& invocation) {
  const Config& config = invocation.config;
  if (config.cluster.empty() || is_request(invocation.action)) return {};
  const std::string cluster = "cluster (from " + invocation.origins.at("cluster") + "): ";
  const auto url = RedisUrl::parse(config.cluster);
  if (!url) return UsageError{cluster + url.error()};
  if (url.value().tls) {
    return UsageError{
        cluster +
        "the relay speaks no TLS to Redis, so rediss:// cannot be used: give redis:// "
        "on a private network, or of a tunnel (stunnel) on this host"};
  }
  if (!config.data.empty()) {
    return UsageError{"data (from " + invocation.origins.at("data") + "): not together with " +
                      cluster + "what the relays of a cluster share is kept by its Redis"};
  }
  if (config.max_command > kMaxClusterCommand) {
    return UsageError{"max-command (from " + invocation.origins.at("max-command") + "): at most " +
                      std::to_string(kMaxClusterCommand >> 20) + "MiB together with " + cluster +
                      "an entry of its log holds no more"};
  }
  return {};
}

// The rules that span several options.
Result<void, UsageError> check_together(const Invocation& invocation) {
  const Config& config = invocation.config;
  if (config.commands.empty()) {
    return UsageError{"commands (from " + invocation.origins.at("commands") +
                      "): at least one endpoint is needed"};
  }
  if (auto permitted = check_remote(invocation); !permitted) return permitted;
  if (auto paired = check_curve(invocation); !paired) return paired;
  if (auto named = check_port(invocation); !named) return named;
  if (auto whole = check_tls(invocation); !whole) return whole;
  if (auto guarded = check_admin(invocation); !guarded) return guarded;
  if (auto keyed = check_tokens(invocation); !keyed) return keyed;
  if (auto shared = check_cluster(invocation); !shared) return shared;
  if (config.state_key.size() > config.max_state_keys) {
    return UsageError{"state-key (from " + invocation.origins.at("state-key") +
                      "): more keys than max-state-keys allows"};
  }
  return {};
}

// The environment's, where the command line names none.
Result<void, UsageError> take_token(const std::string& token, Invocation& invocation) {
  const bool connects = invocation.action == Action::watch || invocation.action == Action::bench;
  const bool counts = connects && invocation.request.token_file.empty();
  if (token.empty() || !counts) return {};
  if (!is_token_text(token)) return UsageError{"SYNCRELAY_TOKEN " + std::string(kNoTokenText)};
  invocation.request.token = token;
  return {};
}

// A pattern that looks as if it opened what nothing opens.
void warn_of_personal(Invocation& invocation) {
  for (const std::string& pattern : invocation.config.open_channels) {
    if (!is_personal(pattern)) continue;
    invocation.warnings.push_back("open-channels (from " + invocation.origins.at("open-channels") +
                                  "): " + quote_for_message(pattern) +
                                  " opens nothing: no client follows a channel whose name begins "
                                  "with @");
  }
}

// All users of a host see what a process was started with.
void warn_of_password(Invocation& invocation) {
  const std::string& origin = invocation.origins.at("cluster");
  if (!origin.starts_with("--") || invocation.config.cluster.empty()) return;
  const auto url = RedisUrl::parse(invocation.config.cluster);
  if (!url || url.value().password.empty()) return;
  invocation.warnings.push_back("cluster (from " + origin +
                                "): its password is seen by all who list processes (ps): give it "
                                "by SYNCRELAY_CLUSTER or in the file of --config");
}

}  // namespace

Result<void, UsageError> configure(const InvocationInput& input, std::span<const Option> table,
                                   Settings settings, Invocation& invocation) {
  auto environment = read_environment(input.environment, table);
  invocation.warnings = std::move(environment.warnings);
  add_layer(settings, environment.settings);
  if (auto taken = take_token(environment.token, invocation); !taken) return taken;
  const auto file = read_file(settings, input, table);
  if (!file) return file.error();
  add_layer(settings, file.value());
  if (auto assigned = assign_all(table, settings, invocation); !assigned) return assigned;
  derive_defaults(input.user, invocation);
  warn_of_personal(invocation);
  warn_of_password(invocation);
  return check_together(invocation);
}

}  // namespace syncrelay::config
