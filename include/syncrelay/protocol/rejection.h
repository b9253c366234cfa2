#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace syncrelay {

// Why a command is refused. Closed list: it labels `syncrelay_commands_rejected_total`
// and is the error code of an answer on the control socket.
enum class RejectReason : std::uint8_t {
  invalid_json,
  not_a_number,  // NaN or Infinity, which JSON does not have
  invalid_utf8,
  lone_surrogate,  // half of a UTF-16 pair in a \u escape
  trailing_bytes,
  too_large,  // over --max-command
  too_deep,   // over kMaxNesting
  not_an_object,
  missing_member,
  unknown_member,
  duplicate_member,
  wrong_type,
  unknown_op,
  invalid_key,    // not 1 to kMaxNameBytes bytes
  invalid_type,   // not 1 to kMaxNameBytes bytes
  reserved_type,  // `ping`, or begins with `sync:`
  invalid_id,     // not 1 to kMaxIdBytes bytes; or not an identity's, where that is meant
  multipart,
  state_full,           // over --max-state or --max-state-keys
  storage_full,         // the disk or its quota
  storage_failed,       // the data directory cannot be written
  busy,                 // too many queries are under way
  no_storage,           // asks for what only a relay with --data has
  storage_uncertain,    // as storage_failed, and the command may be in effect after a restart
  invalid_channel,      // not a channel's name; or the default channel, where it cannot be meant
  channels_full,        // over --max-channels
  conflict,             // a key has not the version that `if` names
  invalid_version,      // of a key in `if`: not a whole number up to kMaxVersion
  invalid_ttl,          // not over 0 and up to kMaxTtlSeconds
  invalid_batch,        // has no commands, or too many, or one that cannot be in it
  invalid_limit,        // not 1 to kMaxListedChannels, or kMaxReceived
  invalid_code,         // of a disconnect: not kMinDismissalCode to kMaxDismissalCode
  invalid_reason,       // of a disconnect: over kMaxReasonBytes
  invalid_number,       // `n` is not 1 to kMaxSettled whole numbers
  invalid_time,         // `wait` or `lease` is no number of seconds in their bounds
  no_such_member,       // whose will it would be
  invalid_member,       // `events` is not a list of known kinds, each once
  unknown_client,       // whose story it would be: nothing is known of it
  invalid_traceparent,  // not in the form of W3C Trace Context
  cluster_unavailable,  // relays share an order, and it has not come back with the command in time
};

inline constexpr std::array<std::string_view, 40> kRejectReasonNames = {
    "invalid_json",
    "not_a_number",
    "invalid_utf8",
    "lone_surrogate",
    "trailing_bytes",
    "too_large",
    "too_deep",
    "not_an_object",
    "missing_member",
    "unknown_member",
    "duplicate_member",
    "wrong_type",
    "unknown_op",
    "invalid_key",
    "invalid_type",
    "reserved_type",
    "invalid_id",
    "multipart",
    "state_full",
    "storage_full",
    "storage_failed",
    "busy",
    "no_storage",
    "storage_uncertain",
    "invalid_channel",
    "channels_full",
    "conflict",
    "invalid_version",
    "invalid_ttl",
    "invalid_batch",
    "invalid_limit",
    "invalid_code",
    "invalid_reason",
    "invalid_number",
    "invalid_time",
    "no_such_member",
    "invalid_member",
    "unknown_client",
    "invalid_traceparent",
    "cluster_unavailable",
};

constexpr std::string_view name(RejectReason reason) {
  return kRejectReasonNames[static_cast<std::size_t>(reason)];
}

// A command that was refused whole: nothing has changed, but for what storage_uncertain says; and
// nobody knows of one that is cluster_unavailable.
struct Rejection {
  RejectReason reason;
  std::size_t offset = 0;  // byte in the message where it went wrong
  std::string detail;      // for a person: what is wrong, naming it
  // Of a conflict: what the keys are that do not fit, as a JSON object (docs/protocol.md).
  std::string current = {};
  std::optional<std::size_t> index = std::nullopt;    // of the command in its batch
  std::optional<std::string> channel = std::nullopt;  // of the list, in which it was refused
};

}  // namespace syncrelay
