#pragma once

#include <string>
#include <string_view>

#include "syncrelay/protocol/command.h"

// The W3C Trace Context of a command: its member `traceparent`, which clients hear as `trace` where
// the relay that took the command passes it on. What a message says decides, wherever it is
// applied: relays that share an order make the same event of it, whatever their own options are.
namespace syncrelay {

// Whether it is 00-TRACEID-PARENTID-FLAGS, with 32, 16 and 2 lowercase hexadecimal digits, and
// neither id of zeros only (https://www.w3.org/TR/trace-context).
bool is_traceparent(std::string_view text);

// Whether an op makes events that can have one.
bool takes_traceparent(Op op);

// Whether the command, or one in it, has one.
bool is_traced(const Command& command);

// The message without them: blanks stand in their places, so that all else stays where it is.
// Precondition: `command` is what the message was decoded to.
std::string without_traceparents(std::string_view message, const Command& command);

// The message of a command that has none, with this one. Precondition: it takes one, and is
// is_traceparent(). As much longer the message gets:
inline constexpr std::size_t kTraceparentRoom = 73;  // bytes
std::string with_traceparent(std::string_view message, std::string_view traceparent);

}  // namespace syncrelay
