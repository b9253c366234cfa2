// What a CommandReader looks at when it has read all of a command.

#include <algorithm>

#include "protocol/command_reader.h"
#include "protocol/command_words.h"
#include "protocol/number_text.h"
#include "syncrelay/protocol/limits.h"
#include "syncrelay/protocol/traceparent.h"

namespace syncrelay {
namespace {

constexpr std::string_view kIdRule = "1 to 64 bytes of A-Z a-z 0-9 _ . : ~ - /";

std::string_view name_in(const std::string& channel) {
  return channel;
}
std::string_view name_in(const KeyValue& entry) {
  return entry.key;
}
std::string_view name_in(const Expected& expected) {
  return expected.key;
}

}  // namespace

bool CommandReader::check_op() {
  if (!has(kOp))
    return fail(RejectReason::missing_member, command_->offset, "member \"op\" is missing");
  const std::optional<Op> op = op_named(op_name_);
  if (!op) {
    return fail(RejectReason::unknown_op, offsets_[kOp],
                "op " + quoted(op_name_) +
                    " is unknown (set, merge, delete, broadcast, drop, batch, will, barrier)");
  }
  command_->op = *op;
  return !in_batch_ || check_in_batch();
}

bool CommandReader::check_in_batch() {
  if (!fits_batch(command_->op)) {
    return fail(RejectReason::invalid_batch, offsets_[kOp],
                "op " + quoted(op_name_) +
                    " cannot be in a batch or will (set, merge, delete, broadcast, drop)");
  }
  if (has(kId)) {
    return fail(RejectReason::invalid_batch, offsets_[kId],
                "a command in a batch or will has no \"id\" of its own");
  }
  return true;
}

bool CommandReader::check_members() {
  const MembersOfOp& of_op = members_of(command_->op);
  const unsigned missing = of_op.required & ~seen_;
  const unsigned unknown = seen_ & ~(of_op.required | of_op.optional | bit(kOp));
  if ((missing | unknown) == 0) return true;
  for (const MemberInfo& member : kMembers) {
    if ((missing & bit(member.member)) != 0) {
      return fail(RejectReason::missing_member, command_->offset,
                  "op " + quoted(op_name_) + " needs member " + quoted(member.name));
    }
    if ((unknown & bit(member.member)) != 0) {
      return fail(RejectReason::unknown_member, offsets_[member.member],
                  "op " + quoted(op_name_) + " has no member " + quoted(member.name));
    }
  }
  return true;
}

// All members are there that the op wants; now what stands in them.
bool CommandReader::check_values() {
  Command& command = *command_;
  if (command.op == Op::will && !check_will()) return false;
  if (has(kId) && command.op != Op::will && (command.id.empty() || command.id.size() > kMaxIdBytes))
    return fail(RejectReason::invalid_id, offsets_[kId], "\"id\" is not 1 to 128 bytes long");
  if (has(kKey) && !is_name(command.key))
    return fail(RejectReason::invalid_key, offsets_[kKey], "\"key\" is not 1 to 256 bytes long");
  const bool broadcast = command.op == Op::broadcast;
  command.value = has(kValue) ? text_of(kValue) : std::string_view();
  command.type = broadcast ? text_of(kType) : std::string_view();
  command.data = has(kData) ? text_of(kData) : std::string_view(broadcast ? "null" : "");
  command.set_object = has(kSet) ? text_of(kSet) : std::string_view();
  if (broadcast && !(check_type() && check_twins(kSet, command.set))) return false;
  if (command.op == Op::channels) return check_channels_query();
  if (command.op == Op::disconnect) return check_disconnect();
  if (is_of_worker(command.op) || command.op == Op::refused) return check_worker_wish();
  if (command.op == Op::events) return check_events_query();
  return (seen_ & kRareMembers) == 0 || check_rare_members();
}

// The "id" of a will is its member's.
bool CommandReader::check_will() {
  Command& command = *command_;
  if (!is_identity(command.id)) {
    return fail(
        RejectReason::invalid_id, offsets_[kId],
        quoted(command.id) + " is no member's id: 1 to 64 bytes of A-Z a-z 0-9 _ . : ~ - /");
  }
  if (command.commands.size() > kMaxWillCommands) {
    return fail(RejectReason::invalid_batch, offsets_[kCommands], "a will has at most 16 commands");
  }
  command.member.swap(command.id);
  command.commands_array = text_of(kCommands);
  return true;
}

bool CommandReader::check_type() {
  if (!is_name(type_name_)) {
    return fail(RejectReason::invalid_type, offsets_[kType], "\"type\" is not 1 to 256 bytes long");
  }
  if (type_name_ == "ping" || std::string_view(type_name_).starts_with("sync:")) {
    return fail(RejectReason::reserved_type, offsets_[kType],
                "type " + quoted(type_name_) +
                    " is the relay's own (\"ping\" and all that begin with \"sync:\")");
  }
  return true;
}

bool CommandReader::check_rare_members() {
  if (has(kCommands) && command_->op == Op::batch && command_->commands.empty()) {
    return fail(RejectReason::invalid_batch, offsets_[kCommands],
                "a batch has at least one command");
  }
  return (!has(kChannel) || check_channel()) && (!has(kChannels) || check_list(kChannels)) &&
         (!has(kTtl) || check_ttl()) && (!has(kFrom) || check_from()) &&
         (!has(kTraceparent) || check_traceparent()) && check_twins(kIf, command_->expected);
}

bool CommandReader::check_channel() {
  if (has(kChannels)) {
    return fail(RejectReason::duplicate_member, offsets_[kChannels],
                "\"channel\" and \"channels\" cannot stand side by side");
  }
  if (message_[offsets_[kChannel]] == '[') return check_list(kChannel);
  const std::string& channel = *command_->channel;
  if (!is_channel(channel)) return fail_channel(kChannel, offsets_[kChannel], channel);
  if (command_->op != Op::drop || !channel.empty()) return true;
  return fail(RejectReason::invalid_channel, offsets_[kChannel],
              "the default channel, which has the empty name, cannot be dropped");
}

bool CommandReader::check_list(Member member) {
  if (command_->op != Op::broadcast) {
    return fail(RejectReason::wrong_type, offsets_[member],
                "member \"channel\" must be a string: only a broadcast goes to several");
  }
  if (command_->channels.empty()) {
    return fail(RejectReason::invalid_channel, offsets_[member],
                quoted(member) + " names no channel");
  }
  return check_twins(member, command_->channels);
}

bool CommandReader::check_ttl() {
  if (command_->op == Op::broadcast && !has(kSet)) {
    return fail(RejectReason::unknown_member, offsets_[kTtl],
                "a broadcast has \"ttl\" only beside \"set\": it is the keys' time");
  }
  command_->ttl = ttl_of_seconds(text_of(kTtl));
  return command_->ttl || fail(RejectReason::invalid_ttl, offsets_[kTtl],
                               "\"ttl\" is not a number of seconds over 0 and up to 31536000");
}

bool CommandReader::check_events_query() {
  if (has(kChannel) && !check_channel()) return false;
  if (has(kAfter)) command_->after_seq = whole_number(text_of(kAfter));
  if (has(kAfter) && !command_->after_seq) {
    return fail(RejectReason::wrong_type, offsets_[kAfter],
                "\"after\" is not the number of an event");
  }
  return check_worker_wish();
}

bool CommandReader::check_channels_query() {
  Command& command = *command_;
  if (has(kAfter) && message_[offsets_[kAfter]] != '"')
    return fail(RejectReason::wrong_type, offsets_[kAfter], "member \"after\" must be a string");
  if (!is_channel(command.prefix)) return fail_channel(kPrefix, offsets_[kPrefix], command.prefix);
  if (command.after && !is_channel(*command.after))
    return fail_channel(kAfter, offsets_[kAfter], *command.after);
  const auto limit = has(kLimit) ? whole_number(text_of(kLimit)) : kUsualListedChannels;
  if (!limit || *limit == 0 || *limit > kMaxListedChannels) {
    return fail(RejectReason::invalid_limit, offsets_[kLimit],
                "\"limit\" is not a whole number from 1 to 1000");
  }
  command.limit = *limit;
  return true;
}

bool CommandReader::check_from() {
  return is_identity(command_->from) ||
         fail(RejectReason::invalid_id, offsets_[kFrom],
              quoted(command_->from) + " in \"from\" is nobody's id: " + std::string(kIdRule));
}

bool CommandReader::check_traceparent() {
  const std::string_view text = text_of(kTraceparent);
  if (!is_traceparent(text.substr(1, text.size() - 2))) {
    return fail(RejectReason::invalid_traceparent, offsets_[kTraceparent],
                "\"traceparent\" is not 00-TRACEID-PARENTID-FLAGS with 32, 16 and 2 lowercase "
                "hexadecimal digits, neither id of zeros only");
  }
  command_->trace = text;
  for (Command& command : command_->commands) {
    if (command.trace.empty() && command.op != Op::drop) command.trace = text;
  }
  return true;
}

bool CommandReader::check_disconnect() {
  Command& command = *command_;
  if (has(kId) == has(kConnection)) {
    return fail(has(kId) ? RejectReason::duplicate_member : RejectReason::missing_member,
                command.offset, "op \"disconnect\" needs either \"id\" or \"connection\"");
  }
  if (has(kId) && !is_identity(command.id)) {
    return fail(RejectReason::invalid_id, offsets_[kId],
                quoted(command.id) + " is nobody's id: " + std::string(kIdRule));
  }
  if (has(kConnection)) command.connection = whole_number(text_of(kConnection));
  if (has(kConnection) && !command.connection) {
    return fail(RejectReason::wrong_type, offsets_[kConnection],
                "\"connection\" is not a whole number");
  }
  return check_close_frame();
}

bool CommandReader::check_close_frame() {
  Command& command = *command_;
  const auto code = has(kCode) ? whole_number(text_of(kCode)) : kMinDismissalCode;
  if (!code || *code < kMinDismissalCode || *code > kMaxDismissalCode) {
    return fail(RejectReason::invalid_code, offsets_[kCode],
                "\"code\" is not a whole number from 4000 to 4999");
  }
  command.code = static_cast<int>(*code);
  if (!has(kReason)) command.reason = "disconnected";
  return command.reason.size() <= kMaxReasonBytes ||
         fail(RejectReason::invalid_reason, offsets_[kReason],
              "\"reason\" is longer than 123 bytes");
}

bool CommandReader::check_worker_wish() {
  WorkerWish& wish = command_->worker;
  if (has(kNumbers) && wish.numbers.empty())
    return fail(RejectReason::invalid_number, offsets_[kNumbers], "\"n\" names no message");
  std::sort(wish.numbers.begin(), wish.numbers.end());
  wish.numbers.erase(std::unique(wish.numbers.begin(), wish.numbers.end()), wish.numbers.end());
  const auto max = has(kMax) ? whole_number(text_of(kMax)) : kUsualReceived;
  if (!max || *max == 0 || *max > kMaxReceived) {
    return fail(RejectReason::invalid_limit, offsets_[kMax],
                "\"max\" is not a whole number from 1 to 1000");
  }
  wish.max = *max;
  if (!has(kEvents)) wish.events.add(WorkerEvent::message);
  if (wish.events.empty())
    return fail(RejectReason::invalid_member, offsets_[kEvents], "\"events\" names no kind");
  return check_seconds(kWait, wish.wait, {0, kMaxWaitSeconds, 0}) &&
         check_seconds(kLease, wish.lease,
                       {kMinLeaseSeconds, kMaxLeaseSeconds, kUsualLeaseSeconds});
}

bool CommandReader::check_seconds(Member member, std::chrono::milliseconds& time, Seconds range) {
  const auto usual = std::optional<std::chrono::milliseconds>(std::chrono::seconds(range.usual));
  const auto read = has(member) ? milliseconds_of_seconds(text_of(member)) : usual;
  if (read && *read >= std::chrono::seconds(range.least) &&
      *read <= std::chrono::seconds(range.most)) {
    time = *read;
    return true;
  }
  return fail(RejectReason::invalid_time, offsets_[member],
              quoted(member) + " is not a number of seconds from " + std::to_string(range.least) +
                  " to " + std::to_string(range.most));
}

template <typename Entry>
bool CommandReader::check_twins(Member member, const std::vector<Entry>& entries) {
  if (entries.size() < 2) return true;
  std::vector<std::string_view> names;
  names.reserve(entries.size());
  for (const Entry& entry : entries) names.push_back(name_in(entry));
  std::sort(names.begin(), names.end());
  const auto twin = std::adjacent_find(names.begin(), names.end());
  if (twin == names.end()) return true;
  return fail(RejectReason::duplicate_member, offsets_[member],
              (member == kSet || member == kIf ? "key " : "channel ") + quoted(*twin) +
                  " stands twice in " + quoted(member));
}

}  // namespace syncrelay
