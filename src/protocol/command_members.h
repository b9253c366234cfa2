#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "syncrelay/json/json_visitor.h"
#include "syncrelay/protocol/command.h"

// Which members a command may have, and which of them each op knows.
namespace syncrelay {

enum Member : unsigned {
  kOp,
  kKey,
  kValue,
  kType,
  kData,
  kSet,
  kNotify,
  kId,
  kChannel,
  kChannels,
  kIf,
  kTtl,
  kCommands,
  kPrefix,
  kAfter,
  kLimit,
  kFrom,
  kConnection,
  kCode,
  kReason,
  kNumbers,
  kUntried,
  kMax,
  kWait,
  kLease,
  kEvents,
  kClient,
  kTraceparent,
  kMemberCount
};

// A set of members, or of kinds of JSON values.
constexpr unsigned bit(Member member) {
  return 1U << member;
}
constexpr unsigned bit(JsonKind kind) {
  return 1U << static_cast<unsigned>(kind);
}
inline constexpr unsigned kAnyKind = ~0U;

struct MemberInfo {
  Member member;
  std::string_view name;
  unsigned kinds;           // that its value may be of
  std::string_view wanted;  // the same for a person
};

inline constexpr std::array<MemberInfo, kMemberCount> kMembers = {{
    {kOp, "op", bit(JsonKind::string), "a string"},
    {kKey, "key", bit(JsonKind::string), "a string"},
    {kValue, "value", kAnyKind, "any value"},
    {kType, "type", bit(JsonKind::string), "a string"},
    {kData, "data", kAnyKind, "any value"},
    {kSet, "set", bit(JsonKind::object), "an object"},
    {kNotify, "notify", bit(JsonKind::boolean), "a boolean"},
    {kId, "id", bit(JsonKind::string), "a string"},
    {kChannel, "channel", bit(JsonKind::string) | bit(JsonKind::array),
     "a string, or in a broadcast an array of strings"},
    {kChannels, "channels", bit(JsonKind::array), "an array of strings"},
    {kIf, "if", bit(JsonKind::object), "an object of keys and their versions"},
    {kTtl, "ttl", bit(JsonKind::number), "a number of seconds"},
    {kCommands, "commands", bit(JsonKind::array), "an array of commands"},
    {kPrefix, "prefix", bit(JsonKind::string), "a string"},
    {kAfter, "after", bit(JsonKind::string) | bit(JsonKind::number),
     "a string, or of events a number"},
    {kLimit, "limit", bit(JsonKind::number), "a number"},
    {kFrom, "from", bit(JsonKind::string), "a string"},
    {kConnection, "connection", bit(JsonKind::number), "a number"},
    {kCode, "code", bit(JsonKind::number), "a number"},
    {kReason, "reason", bit(JsonKind::string), "a string"},
    {kNumbers, "n", bit(JsonKind::array), "an array of numbers"},
    {kUntried, "untried", bit(JsonKind::boolean), "a boolean"},
    {kMax, "max", bit(JsonKind::number), "a number"},
    {kWait, "wait", bit(JsonKind::number), "a number of seconds"},
    {kLease, "lease", bit(JsonKind::number), "a number of seconds"},
    {kEvents, "events", bit(JsonKind::array), "an array of kinds of events"},
    {kClient, "client", bit(JsonKind::string), "a string"},
    {kTraceparent, "traceparent", bit(JsonKind::string), "a string"},
}};

struct MembersOfOp {
  Op op;
  unsigned required;
  unsigned optional;
};

inline constexpr unsigned kOfChanges = bit(kChannel) | bit(kIf) | bit(kNotify) | bit(kId) |
                                       bit(kTraceparent);  // optional in each of them

// A member that stands in neither set is unknown to the op.
inline constexpr std::array<MembersOfOp, kOpNames.size()> kMembersOfOp = {{
    {Op::set, bit(kKey) | bit(kValue), kOfChanges | bit(kTtl)},
    {Op::merge, bit(kKey) | bit(kValue), kOfChanges | bit(kTtl)},
    {Op::remove, bit(kKey), kOfChanges},
    {Op::broadcast, bit(kType),
     kOfChanges | bit(kData) | bit(kSet) | bit(kChannels) | bit(kTtl) | bit(kFrom)},
    {Op::drop, bit(kChannel), bit(kId)},
    {Op::batch, bit(kCommands), bit(kId) | bit(kTraceparent)},
    {Op::will, bit(kId) | bit(kCommands), bit(kChannel)},
    {Op::barrier, 0, bit(kId)},
    {Op::state, 0, bit(kKey) | bit(kChannel)},
    {Op::members, 0, bit(kChannel)},
    {Op::clients, 0, bit(kChannel)},
    {Op::channels, 0, bit(kPrefix) | bit(kAfter) | bit(kLimit)},
    {Op::stats, 0, 0},
    {Op::refused, 0, bit(kMax)},
    {Op::history, 0, 0},
    {Op::events, 0, bit(kChannel) | bit(kAfter) | bit(kMax) | bit(kWait)},
    {Op::backup, 0, 0},
    {Op::disconnect, 0, bit(kId) | bit(kConnection) | bit(kCode) | bit(kReason)},
    {Op::explain, bit(kClient), 0},
    {Op::receive, 0, bit(kMax) | bit(kWait) | bit(kLease) | bit(kEvents)},
    {Op::done, bit(kNumbers), 0},
    {Op::extend, bit(kNumbers), bit(kLease)},
    {Op::release, bit(kNumbers), bit(kUntried)},
}};

constexpr const MemberInfo& info(Member member) {
  return kMembers[member];
}

// The member of that name; kMemberCount: there is none.
inline Member member_named(std::string_view name) {
  if (name.empty()) return kMemberCount;
  for (const MemberInfo& member : kMembers) {
    // The first letter tells most of them apart, without a call.
    if (member.name.size() == name.size() && member.name.front() == name.front() &&
        member.name == name)
      return member.member;
  }
  return kMemberCount;
}

inline std::optional<Op> op_named(std::string_view text) {
  for (const MembersOfOp& entry : kMembersOfOp) {
    if (name(entry.op) == text) return entry.op;
  }
  return std::nullopt;
}

constexpr const MembersOfOp& members_of(Op op) {
  return kMembersOfOp[static_cast<std::size_t>(op)];
}

// Members that most commands do without.
inline constexpr unsigned kRareMembers = ~(bit(kChannel) - 1);

// What may stand in a batch or a will.
constexpr bool fits_batch(Op op) {
  return op < Op::batch;
}

}  // namespace syncrelay
