#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace syncrelay {

// Why what a client says is not taken. Closed list: the code in `sync:error`, which for
// `sync:publish` may be a RejectReason, too.
enum class RefusedMessage : std::uint8_t {
  message_invalid,
  unknown_type,
  invalid_ref,
  identity_not_allowed,
  invalid_id,
  invalid_info,
  id_is_fixed,
  invalid_channel,
  forbidden,
  rate_limited,
  no_backend,
  inbox_full,
  token_invalid,
  token_expired,
};

struct RefusedMessageInfo {
  RefusedMessage why;
  std::string_view name;     // code and label
  std::string_view message;  // for a person; needs no escapes in JSON
};

inline constexpr std::array<RefusedMessageInfo, 14> kRefusedMessages = {{
    {RefusedMessage::message_invalid, "message_invalid",
     "a message is a JSON object with a type, a sync:publish has an event, and both are strings"},
    {RefusedMessage::unknown_type, "unknown_type",
     "this type is unknown: what begins with sync: is for the relay, and it knows none such"},
    {RefusedMessage::invalid_ref, "invalid_ref", "a ref is a string of 1 to 64 bytes"},
    {RefusedMessage::identity_not_allowed, "identity_not_allowed",
     "who a client is its token says, or, where the relay asks for none and its option "
     "--anonymous-identity allows it, itself"},
    {RefusedMessage::invalid_id, "invalid_id",
     "an id is a string of 1 to 64 bytes of A-Z a-z 0-9 _ . : ~ - /"},
    {RefusedMessage::invalid_info, "invalid_info", "an info is an object of up to 1024 bytes"},
    {RefusedMessage::id_is_fixed, "id_is_fixed",
     "this connection has another identity, which it keeps until it ends"},
    {RefusedMessage::invalid_channel, "invalid_channel",
     "a channel's name is 1 to 128 bytes of A-Z a-z 0-9 _ . : ~ - @ /"},
    {RefusedMessage::forbidden, "forbidden",
     "clients may publish to the channels that their token or, without one that says so, the "
     "relay's option --client-publish names, and none that begins with @"},
    {RefusedMessage::rate_limited, "rate_limited",
     "this client says more than the relay's options --client-rate and --client-burst allow"},
    {RefusedMessage::no_backend, "no_backend", "no backend has ever asked for messages"},
    {RefusedMessage::inbox_full, "inbox_full",
     "as many messages wait for the backend as may; say it again later"},
    {RefusedMessage::token_invalid, "token_invalid",
     "this token is not taken: the relay's log says why; the one before stays in force"},
    {RefusedMessage::token_expired, "token_expired",
     "this token has expired; the one before stays in force"},
}};

constexpr const RefusedMessageInfo& info(RefusedMessage why) {
  return kRefusedMessages[static_cast<std::size_t>(why)];
}

}  // namespace syncrelay
