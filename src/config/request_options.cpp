// The options of the verbs that talk to a running relay.

#include <algorithm>
#include <array>
#include <chrono>

#include "config/verb_groups.h"
#include "syncrelay/config/quantity.h"
#include "syncrelay/config/text.h"
#include "syncrelay/config/verb.h"
#include "syncrelay/protocol/channel_name.h"
#include "syncrelay/protocol/limits.h"

namespace syncrelay::config {
namespace {

using namespace std::chrono_literals;
using Reason = std::optional<std::string>;

Reason set_timeout(std::string_view value, Request& request) {
  const auto timeout = parse_duration(value);
  if (!timeout || *timeout < 1ms || *timeout > 24h) {
    return "is not a duration (seconds, or with ms, s, m, h) from 1ms to 24h";
  }
  request.timeout = *timeout;
  return std::nullopt;
}

Reason set_count(std::string_view value, Request& request) {
  const auto count = parse_number(value);
  if (!count || *count == 0) return "is not a whole number from 1 up";
  request.count = *count;
  return std::nullopt;
}

Reason set_flag(std::string_view value, bool& flag) {
  if (value != "true" && value != "false") return "is neither true nor false";
  flag = value == "true";
  return std::nullopt;
}

bool has_channel(const Request& request, std::string_view name) {
  return std::find(request.channels.begin(), request.channels.end(), name) !=
         request.channels.end();
}

Reason add_channel(std::string_view value, Request& request) {
  if (!value.empty() && !is_channel_name(value))
    return "is not the name of a channel " + channel_name_rule();
  if (has_channel(request, value)) return "comes twice";
  request.channels.emplace_back(value);
  return std::nullopt;
}

Reason set_ttl(std::string_view value, Request& request) {
  const auto ttl = parse_duration(value);
  if (!ttl || *ttl < 1ms || *ttl > std::chrono::seconds(kMaxTtlSeconds)) {
    return "is not a duration (seconds, or with ms, s, m, h) from 1ms to " +
           std::to_string(kMaxTtlSeconds / 3600) + "h";
  }
  request.ttl = *ttl;
  return std::nullopt;
}

Reason set_if_version(std::string_view value, Request& request) {
  const auto version = parse_number(value);
  if (!version || *version > kMaxVersion)
    return "is not a version: a whole number up to 9007199254740991, 0 for a key that is not there";
  request.if_version = *version;
  return std::nullopt;
}

Reason set_connection(std::string_view value, Request& request) {
  const auto connection = parse_number(value);
  if (!connection) return "is not a number of a connection, as clients prints it";
  request.connection = *connection;
  return std::nullopt;
}

Reason set_code(std::string_view value, Request& request) {
  const auto code = parse_number(value);
  if (!code || *code < kMinDismissalCode || *code > kMaxDismissalCode)
    return "is not a close code from " + std::to_string(kMinDismissalCode) + " to " +
           std::to_string(kMaxDismissalCode);
  request.code = *code;
  return std::nullopt;
}

Reason set_reason(std::string_view value, Request& request) {
  if (value.size() > kMaxReasonBytes)
    return "is longer than " + std::to_string(kMaxReasonBytes) + " bytes";
  if (!is_utf8(value)) return "is not valid UTF-8";
  request.reason = value;
  return std::nullopt;
}

Reason set_max(std::string_view value, Request& request) {
  const auto count = parse_number(value);
  if (!count || *count == 0 || *count > kMaxReceived) return "is not a whole number from 1 to 1000";
  request.max = *count;
  return std::nullopt;
}

Reason set_after(std::string_view value, Request& request) {
  const auto seq = parse_number(value);
  if (!seq) return "is not the number of an event";
  request.after = *seq;
  return std::nullopt;
}

Reason set_wait(std::string_view value, Request& request) {
  const auto wait = parse_duration(value);
  if (!wait || *wait > std::chrono::seconds(kMaxWaitSeconds))
    return "is not a duration (seconds, or with ms, s, m, h) up to 60s";
  request.wait = *wait;
  return std::nullopt;
}

Reason set_json(std::string_view value, Request& request) {
  return set_flag(value, request.json);
}

Reason set_silent(std::string_view value, Request& request) {
  return set_flag(value, request.silent);
}

Reason set_tls(std::string_view value, Request& request) {
  return set_flag(value, request.tls);
}

Reason set_ca(std::string_view value, Request& request) {
  if (value.empty()) return "is no file";
  request.ca = value;
  return std::nullopt;
}

Reason set_token_file(std::string_view value, Request& request) {
  if (value.empty()) return "is no file";
  if (!is_utf8(value)) return "is not valid UTF-8";
  request.token_file = value;
  return std::nullopt;
}

Reason set_versions(std::string_view value, Request& request) {
  return set_flag(value, request.versions);
}

constexpr std::uint64_t kMaxBenchClients = 100'000;
constexpr std::uint64_t kMaxBenchEvents = 1'000'000;
constexpr std::uint64_t kMaxBenchSize = 1024 * 1024;

Reason set_bench_clients(std::string_view value, Request& request) {
  const auto count = parse_number(value);
  if (!count || *count == 0 || *count > kMaxBenchClients)
    return "is not a whole number from 1 to 100000";
  request.bench.clients = *count;
  return std::nullopt;
}

Reason set_bench_events(std::string_view value, Request& request) {
  const auto count = parse_number(value);
  if (!count || *count == 0 || *count > kMaxBenchEvents)
    return "is not a whole number from 1 to 1000000";
  request.bench.events = *count;
  return std::nullopt;
}

Reason set_bench_size(std::string_view value, Request& request) {
  const auto bytes = parse_size(value);
  if (!bytes || *bytes > kMaxBenchSize) return "is not a size (bytes, or with KiB, MiB) up to 1MiB";
  request.bench.size = *bytes;
  return std::nullopt;
}

Reason set_bench_rate(std::string_view value, Request& request) {
  const auto rate = parse_number(value);
  if (!rate || *rate > kMaxBenchEvents) return "is not a whole number up to 1000000";
  request.bench.rate = *rate;
  return std::nullopt;
}

Reason set_yes(std::string_view value, Request& request) {
  return set_flag(value, request.bench.yes);
}

Reason add_key(std::string_view value, Request& request) {
  const std::size_t equals = value.find('=');
  if (equals == 0 || equals == std::string_view::npos) return "is not KEY=JSON";
  if (!is_utf8(value)) return "is not valid UTF-8";
  request.set.push_back(
      {std::string(value.substr(0, equals)), std::string(value.substr(equals + 1))});
  return std::nullopt;
}

constexpr std::array kVersioned = {Action::state};
constexpr std::array kAsClients = {Action::watch, Action::bench};  // come as one
constexpr std::array kWatch = {Action::watch};
constexpr std::array kBench = {Action::bench};
constexpr std::array kPublish = {Action::publish};
constexpr std::array kChanges = {Action::set, Action::merge, Action::remove, Action::publish};

constexpr std::array kMortal = {Action::set, Action::merge, Action::publish};
constexpr std::array kConditional = {Action::set, Action::merge, Action::remove};

constexpr std::array kListed = {Action::refused, Action::events};
constexpr std::array kEvents = {Action::events};
constexpr std::array kDisconnect = {Action::disconnect};

constexpr std::array<RequestOption, 23> kRequestOptions = {{
    {"timeout",
     "TIME",
     "How long to try to reach the relay (1ms to 24h; default 5s)",
     {},
     set_timeout},
    {"json", "", "Print JSON also on a terminal", {}, set_json},
    {"channel", "NAME",
     "The channel that is meant; without it, or with an empty name, the default one. publish and "
     "watch: repeatable",
     kInChannels, add_channel, true},
    {"silent", "",
     "set, merge, delete, publish --set: do not tell the clients that are connected of the change",
     kChanges, set_silent},
    {"set", "KEY=JSON",
     "publish: set a key in the same step; - as the JSON reads standard input (repeatable)",
     kPublish, add_key, true},
    {"ttl", "TIME",
     "set, merge, publish --set: the keys are deleted after this time unless they are set again "
     "(1ms to 8760h)",
     kMortal, set_ttl},
    {"if-version", "VERSION",
     "set, merge, delete: only if the key still has this version; 0: only if it is not there",
     kConditional, set_if_version},
    {"versions", "", "state: print the version of each key, too", kVersioned, set_versions},
    {"connection", "NUMBER", "disconnect: this connection, by the number that clients prints",
     kDisconnect, set_connection},
    {"code", "CODE", "disconnect: close code, 4000 to 4999 (default 4000)", kDisconnect, set_code},
    {"reason", "TEXT", "disconnect: reason in the close frame (default disconnected)", kDisconnect,
     set_reason},
    {"max", "COUNT", "refused, events: how many at most (1 to 1000; default 100)", kListed,
     set_max},
    {"after", "SEQ", "events: the oldest ones behind this position, in place of the newest",
     kEvents, set_after},
    {"wait", "TIME",
     "events: how long to wait for one behind --after where there is none (up to 60s; default 0)",
     kEvents, set_wait},
    {"token-file", "FILE",
     "watch, bench: file with the token that lets it in, read anew for each connection; without it "
     "SYNCRELAY_TOKEN, from the environment, is the token",
     kAsClients, set_token_file},
    {"count", "COUNT", "watch: stop after this many messages", kWatch, set_count},
    {"tls", "",
     "watch, bench: over TLS, which is meant where --tls-cert is set, too; --host is the name in "
     "the "
     "relay's certificate",
     kAsClients, set_tls},
    {"ca", "FILE",
     "watch, bench: over TLS, trusting the certificates of this file in place of the system's",
     kAsClients, set_ca},
    {"clients", "COUNT", "bench: how many connect (1 to 100000; default 100)", kBench,
     set_bench_clients},
    {"events", "COUNT", "bench: how many each of them gets (1 to 1000000; default 1000)", kBench,
     set_bench_events},
    {"size", "BYTES", "bench: how large the data of an event is (up to 1MiB; default 100)", kBench,
     set_bench_size},
    {"rate", "COUNT", "bench: events a second; 0: as fast as the relay takes them (default 100)",
     kBench, set_bench_rate},
    {"yes", "", "bench: also against a relay on another machine", kBench, set_yes},
}};

}  // namespace

std::span<const RequestOption> request_options() {
  return kRequestOptions;
}

}  // namespace syncrelay::config
