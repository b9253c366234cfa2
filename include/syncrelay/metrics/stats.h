#pragma once

#include <array>

#include "syncrelay/base/counter.h"
#include "syncrelay/protocol/close_cause.h"
#include "syncrelay/protocol/command.h"
#include "syncrelay/protocol/refused_message.h"
#include "syncrelay/protocol/refused_subscription.h"
#include "syncrelay/protocol/rejection.h"

// The numbers behind /metrics. Each struct has one writing thread; the metrics page reads. A Peak
// is for who looks after memory, and taken there.
namespace syncrelay {

// Why a message for the backend is not taken.
enum class InboxRefusal : std::uint8_t {
  no_backend,  // nobody has ever received
  inbox_full,
  sender_full,  // its sender has as many there as one may
  storage,      // it cannot be stored
};
inline constexpr std::array<std::string_view, 4> kInboxRefusalNames = {"no_backend", "inbox_full",
                                                                       "sender_full", "storage"};
// What became of the wills of members who have left.
enum class WillOutcome : std::uint8_t { applied, refused };
inline constexpr std::array<std::string_view, 2> kWillOutcomeNames = {"applied", "refused"};

// Written by the relay's thread.
struct RelayStats {
  std::array<Counter, kOpNames.size()> commands;  // accepted, by Op; no barriers
  std::array<Counter, kRejectReasonNames.size()> rejected;
  Counter events;
  Counter seq;       // of the default channel
  Counter channels;  // the default one, too
  Counter channels_forgotten;
  Counter channels_dropped;
  Counter expired_keys;
  Counter members;          // of all channels
  Counter members_refused;  // no room for another one
  std::array<Counter, kWillOutcomeNames.size()> wills;
  Counter state_keys;
  Counter state_bytes;                  // keys and values
  Counter ids;                          // remembered, see IdWindow
  Counter duplicates;                   // commands with an id that was known
  Counter answers_dropped;              // on the control socket, to peers that do not read
  Counter command_connections;          // to the command sockets and the control socket
  Counter command_connections_refused;  // there was no room
  Counter command_connections_cut_off;  // a message without end, or a protocol before ZMTP 2.0
  Counter command_keys_refused;         // a key that --curve-clients does not list
  Counter command_handshakes_failed;    // gone before it had shown a key
  Counter inbox_messages;               // that clients have said and no backend is done with
  Counter inbox_bytes;
  Peak inbox_messages_peak;
  Peak inbox_bytes_peak;
  Counter inbox_leased;  // of the messages: are with a worker
  Counter inbox_received;
  Counter inbox_done;
  Counter inbox_redelivered;
  Counter inbox_ignored;  // nobody has ever received, and the client wants no answer
  std::array<Counter, kInboxRefusalNames.size()> inbox_refused;
  Counter notices_dropped;  // no room, and no worker has had them
};

enum class SnapshotReason : std::uint8_t {
  connect,  // the first message in a channel, also of a later subscription
  lag,
  resume_failed,
  renumbered,  // the channel's numbers began anew before anything had happened in it
};
inline constexpr std::array<std::string_view, 4> kSnapshotReasonNames = {
    "connect", "lag", "resume_failed", "renumbered"};

// What clients say.
enum class ClientMessageKind : std::uint8_t {
  ping,
  subscribe,
  unsubscribe,
  hello,
  publish,
  message,  // for the backend
  token,
  ignored
};
inline constexpr std::array<std::string_view, 8> kClientMessageKindNames = {
    "ping", "subscribe", "unsubscribe", "hello", "publish", "message", "token", "ignored"};

// Why a token is not taken; as auth/token.h lists them.
inline constexpr std::array<std::string_view, 9> kTokenFaultNames = {
    "malformed",     "algorithm", "unknown_key", "signature", "expired",
    "not_yet_valid", "issuer",    "audience",    "claims"};

enum class RefusalReason : std::uint8_t {
  max_clients,
  max_clients_per_address,
  origin,
  host,  // called by a name that --allow-host does not list
  stopping,
  not_found,
  method,
  not_an_upgrade,
  bad_request,
  handshake,     // went away or took too long before the upgrade
  crowded,       // made room for others before the upgrade, see Transients
  open_files,    // no file descriptor was left
  token,         // had none, or none that is good
  forbidden,     // may follow none of the channels that it asks for
  connect_rate,  // its address has asked for too many upgrades
  catching_up,   // the relay is reading its cluster's log
};
inline constexpr std::array<std::string_view, 16> kRefusalReasonNames = {
    "max_clients",  "max_clients_per_address",
    "origin",       "host",
    "stopping",     "not_found",
    "method",       "not_an_upgrade",
    "bad_request",  "handshake",
    "crowded",      "open_files",
    "token",        "forbidden",
    "connect_rate", "catching_up"};

// Why a connection to a listener with TLS did not come to speak it.
enum class TlsFailure : std::uint8_t {
  plain,      // what came was no TLS
  gone,       // went away or took too long
  unmatched,  // no version, cipher, group or protocol that both know
  refused,    // the client's alert: it does not trust the certificate, or its kin
  malformed,  // breaks the protocol
};
inline constexpr std::array<std::string_view, 5> kTlsFailureNames = {"plain", "gone", "unmatched",
                                                                     "refused", "malformed"};

// Of one listener, as far as its thread has a part in it.
struct TlsStats {
  std::array<Counter, 2> handshakes;  // done, by whether an earlier session was resumed
  std::array<Counter, kTlsFailureNames.size()> failures;
};

// Close codes that have a label of their own; any other code that a client sends, or a backend
// has sent, is counted as "other".
inline constexpr std::array<std::uint16_t, 16> kCountedCodes = {
    1000, 1001, 1002, 1003, 1005, 1006, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 4000, 4401, 4429};

// Written by the shard's thread.
struct ShardStats {
  Counter clients;
  Counter accepted;
  std::array<std::array<Counter, kCountedCodes.size() + 1>, kCloseCauses.size()>
      closed;  // by cause, by code
  std::array<Counter, kRefusalReasonNames.size()> refused;
  Counter proxy_headers_unusable;  // requests whose proxy does not say by an address who asks
  std::array<Counter, kSnapshotReasonNames.size()> snapshots;
  Counter frames_sent;
  Counter bytes_sent;
  Counter skipped_events;
  Counter resumes;
  Counter channels;       // that the shard has, with the default one
  Counter subscriptions;  // of all clients
  std::array<Counter, kRefusedSubscriptions.size()> subscriptions_refused;
  std::array<Counter, kClientMessageKindNames.size()> client_messages;
  std::array<Counter, kRefusedMessages.size()> client_messages_refused;
  std::array<Counter, kTokenFaultNames.size()> tokens_refused;
  TlsStats tls;
  Counter identities;            // that have a connection
  Counter deflated_events;       // once each, for all clients of all shards
  Counter deflated_plain_bytes;  // of them, as they lie in the log,
  Counter deflated_wire_bytes;   // and as they are written
  Counter undeflated_events;     // that went as they are for want of room or time
  Counter stories;               // kept, of connections that are gone
  Counter story_bytes;           // of these
  Counter stories_forgotten;     // for want of room
  Counter slow_clients;
  Counter lag_events_max;
  Counter log_bytes;
  Counter log_events;
  LatencyHistogram fanout;
};

// What the HTTP door is asked for; the paths of its pages together are one.
enum class DoorPath : std::uint8_t {
  commands,
  state,
  channels,
  clients,
  stats,
  history,
  refused,
  openapi,
  metrics,
  health,
  page,
  other,  // there is none such, or what came was no request
};
inline constexpr std::array<std::string_view, 12> kDoorPathNames = {
    "/commands", "/state",        "/channels", "/clients", "/stats", "/history",
    "/refused",  "/openapi.json", "/metrics",  "/health",  "page",   "other"};

// All that the HTTP door answers with.
inline constexpr std::array<std::uint16_t, 17> kDoorStatuses = {
    200, 304, 400, 401, 403, 404, 405, 408, 409, 413, 415, 421, 429, 431, 501, 503, 505};

// Written by the HTTP door's thread.
struct DoorStats {
  Counter connections;
  Counter crowded;  // connections closed because others came
  std::array<std::array<Counter, kDoorStatuses.size()>, kDoorPathNames.size()> requests;
  TlsStats tls;
};

template <typename Enum, std::size_t N>
Counter& counter(std::array<Counter, N>& counters, Enum index) {
  return counters[static_cast<std::size_t>(index)];
}

// Where a close code is counted in ShardStats::closed.
constexpr std::size_t code_index(std::uint16_t code) {
  std::size_t index = 0;
  while (index < kCountedCodes.size() && kCountedCodes[index] != code) ++index;
  return index;
}

}  // namespace syncrelay
