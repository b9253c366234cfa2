#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "syncrelay/base/log.h"

namespace syncrelay {

struct HostPort {
  std::string host;  // without the brackets of an IPv6 address
  std::uint16_t port = 0;

  bool operator==(const HostPort&) const = default;
};

// What a confirmed command outlives: the process being killed, or the power failing.
enum class Durability : std::uint8_t { process, power };

enum class Compression : std::uint8_t { off, on };

// automatic: for the journal where standard error is that, else text.
enum class LogFormatWish : std::uint8_t { automatic, text, json, journal };

// Whether the client port shows the first page. Automatic: where no tokens are asked for.
enum class Page : std::uint8_t { automatic, on, off };

// Everything an operator can set. Plain values; parse_invocation() has checked every range, so that
// the rooms that read it need no checks of their own. The initial values are the defaults that
// --help shows. Sizes are bytes.
struct Config {
  std::string host = "0.0.0.0";
  std::uint16_t port = 8642;      // 0: the system picks a free one
  std::optional<HostPort> admin;  // no admin listener without it
  std::string tls_cert;           // file; empty, as tls_key then: clients connect without TLS
  std::string tls_key;            // file
  bool admin_tls = false;         // the admin listener has TLS, too
  std::string admin_token;        // file with the token that it asks for; empty: it asks for none
  Page page = Page::automatic;
  std::vector<std::string> allow_origin;   // "*", "null" or scheme://host[:port]
  std::vector<std::string> allow_host;     // names without a port; empty: any
  std::vector<std::string> trusted_proxy;  // IP addresses, or networks with their prefix

  std::string runtime_dir;  // never empty after parse_invocation()
  std::vector<std::string>
      commands;         // ZeroMQ endpoints, ipc:// or tcp://; never empty after parse_invocation()
  std::string control;  // ZeroMQ endpoint, ipc:// or tcp://; never empty after parse_invocation()
  bool allow_remote_commands = false;
  std::string curve_key;          // file with the secret CURVE key of this process; empty: none
  std::string curve_clients;      // file with the keys that may connect to tcp:// endpoints
  std::string curve_server_key;   // file with the relay's public key, for who asks it
  std::uint32_t ipc_mode = 0660;  // permission bits of the socket files
  std::string ipc_group;          // empty: the group that the process creates files with

  std::vector<std::string> state_key = {"comparison", "radio"};  // no duplicates
  std::uint64_t max_state = 256ULL << 20;
  std::uint64_t max_state_keys = 100'000;
  std::uint64_t max_command = 16ULL << 20;
  bool trace = false;  // events tell the `traceparent` of their commands

  std::uint64_t log_bytes = 16ULL << 20;  // of the whole process
  std::uint64_t log_events = 100'000;

  std::vector<std::string> open_channels;  // patterns of the named channels that clients may follow
  std::uint64_t max_channels = 100'000;
  std::uint64_t max_subscriptions = 128;  // of each client

  std::string token_key;   // file with a secret or a public key; empty: no tokens are asked for,
  std::string token_jwks;  // unless this one is given: a JWK Set; not both
  bool token_optional = false;  // who has none is let in, too
  std::string token_issuer;     // that a token must name; empty: any, or none
  std::string token_audience;   // the same
  std::string token_cookie;     // name of a cookie that may hold a token; empty: none
  bool token_in_url = false;    // so may ?token=

  bool anonymous_identity = false;    // a client is who it says it is, by sync:hello
  std::vector<std::string> presence;  // patterns of the channels whose members are kept; "": the
                                      // default channel, which "*" means, too
  std::chrono::milliseconds presence_grace{30'000};        // after a connection was lost
  std::chrono::milliseconds presence_grace_closed{5'000};  // after it was closed
  std::uint64_t max_members = 100'000;                     // of all channels together
  std::string hello_type = "sync:hello";  // of the message by which a client says who it is
  std::string members_key;                // of the default channel's state; empty: not kept there
  std::string members_event;              // tells the same list; empty: no such event

  std::vector<std::string> client_publish;  // patterns of the channels that clients may publish to
  std::uint32_t client_rate = 20;           // messages a second of each client; 0: no limit
  std::uint32_t client_burst = 40;          // messages at once
  std::uint64_t inbox_messages = 10'000;
  std::uint64_t inbox_bytes = 64ULL << 20;

  std::string data;  // directory; empty: nothing outlives the process
  Durability durability = Durability::process;
  std::uint64_t dedup_ids = 100'000;                // how many ids of commands are remembered,
  std::chrono::milliseconds dedup_window{600'000};  // and for how long

  std::string cluster;  // URL of the Redis whose log several relays share; empty: it is alone
  std::chrono::milliseconds cluster_timeout{4'000};  // for a command to come back from it

  std::uint32_t shards = 0;  // 0: one per core
  std::uint32_t max_clients = 10'000;
  std::uint32_t max_clients_per_address = 0;  // 0: no such limit
  std::uint32_t connect_rate = 0;             // upgrades a second of each address; 0: no limit
  std::uint64_t max_client_message = 64ULL << 10;
  std::uint64_t send_buffer = 256ULL << 10;  // SO_SNDBUF of each client
  Compression compression = Compression::on;

  std::chrono::milliseconds ping_interval{20'000};
  std::chrono::milliseconds ping_timeout{20'000};
  std::chrono::milliseconds json_ping_interval{0};  // 0: off
  std::chrono::milliseconds stall_timeout{60'000};
  std::chrono::milliseconds handshake_timeout{10'000};
  std::chrono::milliseconds drain_timeout{5'000};

  LogLevel log_level = LogLevel::info;
  LogFormatWish log_format = LogFormatWish::automatic;

  std::uint32_t parent = 0;  // process that has started it, with which it ends; 0: none

  bool operator==(const Config&) const = default;
};

}  // namespace syncrelay
