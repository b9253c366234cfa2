#include <algorithm>
#include <chrono>

#include "syncrelay/base/log.h"
#include "syncrelay/config/address.h"
#include "syncrelay/config/option_kinds.h"
#include "syncrelay/config/value_rules.h"
#include "syncrelay/protocol/limits.h"

namespace syncrelay::config {
namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t kKiB = 1ULL << 10;
constexpr std::uint64_t kMiB = 1ULL << 20;
constexpr std::uint64_t kGiB = 1ULL << 30;

constexpr std::string_view kListeners = "Listeners";
constexpr std::string_view kBackends = "Backends";
constexpr std::string_view kState = "State and log";
constexpr std::string_view kChannels = "Channels";
constexpr std::string_view kAccess = "Tokens";
constexpr std::string_view kPresence = "Who is there, and what they say";
constexpr std::string_view kStorage = "Storage";
constexpr std::string_view kCluster = "Several relays";
constexpr std::string_view kClients = "Clients";
constexpr std::string_view kTimes = "Times";
constexpr std::string_view kLogging = "Logging";
constexpr std::string_view kProcess = "Process";

// Of a URL: what --print-config shows ends up in tickets.
std::string without_password(const std::string& url) {
  const std::size_t begin = url.find("://");
  const std::size_t end = url.rfind('@');
  if (begin == std::string::npos || end == std::string::npos || end < begin) return url;
  return url.substr(0, begin + 3) + "***" + url.substr(end);
}

std::vector<Option> listener_options() {
  const auto number = [](auto value) { return static_cast<std::uint64_t>(value); };
  std::vector<Option> options = {
      text_option({"host", kListeners, "HOST", "Address that clients connect to"}, &Config::host,
                  host_problem),
      number_option({"port", kListeners, "PORT", "TCP port for clients; 0 picks a free one"},
                    &Config::port, {0, 65535}),
      address_option(
          {"admin", kListeners, "HOST:PORT",
           "Second listener, for operators and for backends that speak HTTP: commands, queries, "
           "metrics; not for clients"},
          &Config::admin),
      text_option(
          {"tls-cert", kListeners, "FILE",
           "Speak TLS with this certificate, in PEM; those that lead to its root may follow "
           "in the file"},
          &Config::tls_cert, directory_problem),
      text_option({"tls-key", kListeners, "FILE", "Its private key, in PEM, not encrypted"},
                  &Config::tls_key, directory_problem),
      flag_option({"admin-tls", kListeners, "", "The admin listener speaks TLS, too"},
                  &Config::admin_tls),
      text_option({"admin-token", kListeners, "FILE",
                   "Bearer token that the admin listener asks for; needed where --admin is no "
                   "loopback address"},
                  &Config::admin_token, directory_problem),
      list_option({"allow-origin", kListeners, "ORIGIN",
                   "Browser origin to accept besides the relay's own host; * for all"},
                  &Config::allow_origin, origin_problem),
      list_option({"allow-host", kListeners, "NAME",
                   "Host name that the relay goes by; with it, no other but addresses, localhost "
                   "and the hosts of --allow-origin"},
                  &Config::allow_host, host_name_problem),
      list_option({"trusted-proxy", kListeners, "CIDR",
                   "Address or network of proxies whose X-Forwarded-For or Forwarded says from "
                   "where a client comes"},
                  &Config::trusted_proxy, network_problem),
      choice_option({"page", kListeners, "WHETHER",
                     "Show a page of what happens here on the client port, at /; auto: where no "
                     "tokens are asked for"},
                    &Config::page,
                    {{"auto", number(Page::automatic)},
                     {"on", number(Page::on)},
                     {"off", number(Page::off)}}),
  };
  for (std::size_t index : {3, 4, 6}) options[index].default_text = "off";
  return options;
}

std::vector<Option> backend_options() {
  std::vector<Option> options = {
      text_option({"runtime-dir", kBackends, "DIR", "Directory of the sockets and the lock file"},
                  &Config::runtime_dir, runtime_dir_problem),
      list_option({"commands", kBackends, "ENDPOINT",
                   "ZeroMQ endpoint to take commands at: ipc:// or tcp://"},
                  &Config::commands, endpoint_problem),
      text_option({"control", kBackends, "ENDPOINT",
                   "ZeroMQ endpoint that answers commands and queries: ipc:// or tcp://"},
                  &Config::control, endpoint_problem),
      flag_option({"allow-remote-commands", kBackends, "",
                   "Let --commands and --control listen where other hosts can reach it: whoever "
                   "does commands "
                   "the relay"},
                  &Config::allow_remote_commands),
      text_option(
          {"curve-key", kBackends, "FILE",
           "Secret key, made by keygen: the relay's, which asks for keys at tcp:// endpoints "
           "then; or that of who asks a relay"},
          &Config::curve_key, directory_problem),
      text_option({"curve-clients", kBackends, "FILE",
                   "Public keys of those that may connect to the relay's tcp:// endpoints"},
                  &Config::curve_clients, directory_problem),
      text_option({"curve-server-key", kBackends, "FILE",
                   "Public key of the relay that is asked at a tcp:// endpoint"},
                  &Config::curve_server_key, directory_problem),
      octal_option({"ipc-mode", kBackends, "MODE", "Mode of the socket files, octal"},
                   &Config::ipc_mode, {0, 0777}),
      text_option({"ipc-group", kBackends, "GROUP", "Group of the socket files"},
                  &Config::ipc_group, group_problem),
      size_option({"max-command", kBackends, "SIZE", "Largest command"}, &Config::max_command,
                  {1, kGiB}),
      flag_option({"trace", kBackends, "",
                   "Pass a command's traceparent (W3C Trace Context) on to clients, as the event's "
                   "trace"},
                  &Config::trace),
  };
  options[0].default_text = "/tmp/syncrelay-<uid>";
  options[1].default_text = "ipc://<runtime-dir>/commands.sock";
  options[2].default_text = "ipc://<runtime-dir>/control.sock";
  for (std::size_t index : {4, 5, 6}) options[index].default_text = "off";
  return options;
}

std::vector<Option> state_options() {
  return {
      list_option({"state-key", kState, "NAME", "State key that is null until it is set"},
                  &Config::state_key, state_key_problem),
      size_option({"max-state", kState, "SIZE", "All state together"}, &Config::max_state,
                  {1, 1024 * kGiB}),
      number_option({"max-state-keys", kState, "COUNT", "Keys of the state"},
                    &Config::max_state_keys, {1, 100'000'000}),
      size_option({"log-bytes", kState, "SIZE", "Window of recent events, by size"},
                  &Config::log_bytes, {64 * kKiB, 1024 * kGiB}),
      number_option({"log-events", kState, "COUNT", "Window of recent events, by number"},
                    &Config::log_events, {2, 1'000'000'000}),
  };
}

std::vector<Option> channel_options() {
  return {
      list_option({"open-channels", kChannels, "PATTERN",
                   "Channels that any client may follow: a name, or the beginning of names and *"},
                  &Config::open_channels, channel_pattern_problem),
      number_option({"max-channels", kChannels, "COUNT", "Channels at a time"},
                    &Config::max_channels, {1, 10'000'000}),
      number_option(
          {"max-subscriptions", kChannels, "COUNT", "Channels that one client follows at a time"},
          &Config::max_subscriptions, {1, 10'000}),
  };
}

std::vector<Option> access_options() {
  std::vector<Option> options = {
      text_option({"token-key", kAccess, "FILE",
                   "Let in clients with a token that this key verifies: a secret (HS256), or a "
                   "public key in PEM (RS256, ES256, EdDSA)"},
                  &Config::token_key, directory_problem),
      text_option({"token-jwks", kAccess, "FILE", "The same with one of the keys of a JWK Set"},
                  &Config::token_jwks, key_set_problem),
      flag_option({"token-optional", kAccess, "", "Let in clients without a token, too"},
                  &Config::token_optional),
      text_option({"token-issuer", kAccess, "TEXT", "What a token must have as iss"},
                  &Config::token_issuer, directory_problem),
      text_option({"token-audience", kAccess, "TEXT", "What a token must have as aud, or in it"},
                  &Config::token_audience, directory_problem),
      text_option({"token-cookie", kAccess, "NAME", "Cookie that may hold the token"},
                  &Config::token_cookie, cookie_problem),
      flag_option({"token-in-url", kAccess, "",
                   "Take a token from ?token=, too; URLs end up in the logs of proxies"},
                  &Config::token_in_url),
  };
  options[0].default_text = "off";
  options[1].default_text = "off";
  return options;
}

std::vector<Option> presence_options() {
  return {
      flag_option({"anonymous-identity", kPresence, "",
                   "Believe clients who they are: sync:hello gives a connection its identity; not "
                   "where tokens say it"},
                  &Config::anonymous_identity),
      list_option({"presence", kPresence, "PATTERN",
                   "Channels whose members are kept and told: a name, or the beginning of names "
                   "and *, or \"\" for the default channel"},
                  &Config::presence, some_channel_problem),
      duration_option({"presence-grace", kPresence, "TIME",
                       "Time for a member to come back whose last connection was lost"},
                      &Config::presence_grace, {0ms, 24h}),
      duration_option({"presence-grace-closed", kPresence, "TIME",
                       "The same when the last connection took leave (a page that is loaded anew "
                       "does)"},
                      &Config::presence_grace_closed, {0ms, 24h}),
      number_option({"max-members", kPresence, "COUNT", "Members of all channels together"},
                    &Config::max_members, {1, 10'000'000}),
      text_option(
          {"hello-type", kPresence, "TYPE", "Type of the message by which a client says who it is"},
          &Config::hello_type, hello_type_problem),
      text_option({"members-key", kPresence, "KEY",
                   "State key of the default channel that lists its members, too"},
                  &Config::members_key, members_key_problem),
      text_option(
          {"members-event", kPresence, "TYPE", "Event that tells that list whenever it changes"},
          &Config::members_event, event_type_problem),
      list_option({"client-publish", kPresence, "PATTERN",
                   "Channels that any client may publish events to: a name, or the beginning of "
                   "names and *, or \"\" for the default channel"},
                  &Config::client_publish, some_channel_problem),
      number_option({"client-rate", kPresence, "COUNT",
                     "Messages a second that a client may send for others (0: no limit)"},
                    &Config::client_rate, {0, 1'000'000}),
      number_option({"client-burst", kPresence, "COUNT", "The same at once, after a silence"},
                    &Config::client_burst, {1, 1'000'000}),
      number_option(
          {"inbox-messages", kPresence, "COUNT", "Messages of clients that wait for a backend"},
          &Config::inbox_messages, {1, 10'000'000}),
      size_option({"inbox-bytes", kPresence, "SIZE", "The same in bytes"}, &Config::inbox_bytes,
                  {64 * kKiB, 64 * kGiB}),
  };
}

std::vector<Option> storage_options() {
  const auto number = [](auto value) { return static_cast<std::uint64_t>(value); };
  std::vector<Option> options = {
      text_option({"data", kStorage, "DIR",
                   "Keep state and log in this directory, so that they outlive the process"},
                  &Config::data, directory_problem),
      choice_option(
          {"durability", kStorage, "WHAT",
           "What a confirmed command outlives: the process, or a loss of power too"},
          &Config::durability,
          {{"process", number(Durability::process)}, {"power", number(Durability::power)}}),
      number_option({"dedup-ids", kStorage, "COUNT", "How many ids of commands are remembered"},
                    &Config::dedup_ids, {1, 100'000'000}),
      duration_option({"dedup-window", kStorage, "TIME", "How long an id is remembered"},
                      &Config::dedup_window, {1ms, 168h}),
  };
  options[0].default_text = "off";
  return options;
}

std::vector<Option> cluster_options() {
  std::vector<Option> options = {
      text_option({"cluster", kCluster, "URL",
                   "Be one of several relays that share one log in this Redis: "
                   "redis://[user:password@]host[:port][/database][?prefix=NAME] or "
                   "redis+sentinel://host,host/master"},
                  &Config::cluster, directory_problem),
      duration_option({"cluster-timeout", kCluster, "TIME",
                       "How long the answer to a command waits for the cluster's log"},
                      &Config::cluster_timeout, {10ms, 1h}),
  };
  options[0].default_text = "off";
  options[0].print = [print = options[0].print](const Config& config) {
    Config shown;
    shown.cluster = without_password(config.cluster);
    return print(shown);
  };
  return options;
}

std::vector<Option> client_options() {
  const auto number = [](auto value) { return static_cast<std::uint64_t>(value); };
  return {
      number_option({"shards", kClients, "COUNT", "Threads that serve clients; 0: one per core"},
                    &Config::shards, {0, 64}),
      number_option({"max-clients", kClients, "COUNT", "Clients at a time"}, &Config::max_clients,
                    {1, 10'000'000}),
      number_option({"max-clients-per-address", kClients, "COUNT",
                     "Clients at a time from one address; 0: no limit"},
                    &Config::max_clients_per_address, {0, 10'000'000}),
      number_option({"connect-rate", kClients, "COUNT",
                     "Connections a second that clients of one address may open, ten times as many "
                     "at once; 0: no limit"},
                    &Config::connect_rate, {0, 1'000'000}),
      size_option({"max-client-message", kClients, "SIZE", "Largest message of a client"},
                  &Config::max_client_message, {1, kGiB}),
      size_option({"send-buffer", kClients, "SIZE", "Kernel send buffer (SO_SNDBUF) per client"},
                  &Config::send_buffer, {4 * kKiB, 64 * kMiB}),
      choice_option({"compression", kClients, "WHETHER",
                     "Deflate for clients that offer that (permessage-deflate), once for all"},
                    &Config::compression,
                    {{"on", number(Compression::on)}, {"off", number(Compression::off)}}),
  };
}

std::vector<Option> time_options() {
  return {
      duration_option({"ping-interval", kTimes, "TIME", "Time between WebSocket pings"},
                      &Config::ping_interval, {10ms, 24h}),
      duration_option(
          {"ping-timeout", kTimes, "TIME", "How long after a ping a silent client is closed"},
          &Config::ping_timeout, {10ms, 24h}),
      duration_option({"json-ping-interval", kTimes, "TIME",
                       "Time between {\"type\":\"ping\"} messages; 0: off"},
                      &Config::json_ping_interval, {0ms, 24h}),
      duration_option({"stall-timeout", kTimes, "TIME",
                       "How long a client may take no byte of what waits for it"},
                      &Config::stall_timeout, {10ms, 24h}),
      duration_option({"handshake-timeout", kTimes, "TIME", "Time for a connection's handshake"},
                      &Config::handshake_timeout, {10ms, 1h}),
      duration_option({"drain-timeout", kTimes, "TIME", "Time to flush before a stop"},
                      &Config::drain_timeout, {0ms, 1h}),
  };
}

std::vector<Option> logging_options() {
  const auto number = [](auto value) { return static_cast<std::uint64_t>(value); };
  return {
      choice_option({"log-level", kLogging, "LEVEL", "Least level that is logged"},
                    &Config::log_level,
                    {{"debug", number(LogLevel::debug)},
                     {"info", number(LogLevel::info)},
                     {"warning", number(LogLevel::warning)},
                     {"error", number(LogLevel::error)}}),
      choice_option({"log-format", kLogging, "FORMAT",
                     "Form of the log lines; auto: journal where standard error is systemd's "
                     "journal, else text"},
                    &Config::log_format,
                    {{"auto", number(LogFormatWish::automatic)},
                     {"text", number(LogFormatWish::text)},
                     {"json", number(LogFormatWish::json)},
                     {"journal", number(LogFormatWish::journal)}}),
  };
}

std::vector<Option> process_options() {
  return {
      number_option({"parent", kProcess, "PID",
                     "Stop when this process, which has started it, has ended: for development "
                     "and tests; 0: never"},
                    &Config::parent, {0, 4'194'304}),
  };
}

}  // namespace

std::vector<Option> make_option_table() {
  std::vector<Option> table;
  for (const auto part : {listener_options, backend_options, state_options, channel_options,
                          access_options, presence_options, storage_options, cluster_options,
                          client_options, time_options, logging_options, process_options}) {
    for (Option& option : part()) table.push_back(std::move(option));
  }
  return table;
}

std::string environment_name(std::string_view option_name) {
  std::string name = "SYNCRELAY_";
  for (const char c : option_name) {
    const bool lower = c >= 'a' && c <= 'z';
    name += c == '-' ? '_' : static_cast<char>(lower ? c - 'a' + 'A' : c);
  }
  return name;
}

const Option* find_option(std::span<const Option> table, std::string_view name) {
  const auto named = [name](const Option& option) { return option.name == name; };
  const auto found = std::find_if(table.begin(), table.end(), named);
  return found == table.end() ? nullptr : &*found;
}

}  // namespace syncrelay::config
