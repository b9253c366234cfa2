#include "protocol/command_reader.h"

#include <algorithm>
#include <utility>

#include "protocol/number_text.h"
#include "syncrelay/base/utf8.h"
#include "syncrelay/json/json_text.h"
#include "syncrelay/protocol/channel_name.h"
#include "syncrelay/protocol/limits.h"

namespace syncrelay {
namespace {

using Step = JsonVisitor::Step;

// Members that most commands do without.
constexpr unsigned kRareMembers = ~(bit(kChannel) - 1);

std::string quoted(std::string_view text) {
  constexpr std::size_t kShown = 64;
  std::string out;
  append_json_string(out, cut_at_character(text, kShown));
  if (text.size() > kShown) out += "…";
  return out;
}

std::string quoted(Member member) {
  return quoted(info(member).name);
}

bool is_name(std::string_view text) {
  return !text.empty() && text.size() <= kMaxNameBytes;
}

bool is_channel(std::string_view text) {
  return text.empty() || is_channel_name(text);
}

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

void CommandReader::begin(std::string_view message, Command& command) {
  command_ = &command;
  forget();
  start(message, command);
}

void CommandReader::begin_in_batch(std::string_view message, Command& command) {
  in_batch_ = true;
  start(message, command);
}

void CommandReader::start(std::string_view message, Command& command) {
  message_ = message;
  command_ = &command;
  depth_ = 0;
  seen_ = 0;
  failure_.reset();
  op_name_.clear();
  type_name_.clear();
}

// What another command has left in this one. The views are set by check().
void CommandReader::forget() {
  Command& command = *command_;
  command.set.clear();
  command.key.clear();
  command.id.clear();
  command.notify = true;
  command.limit = 0;
  if ((seen_ & kRareMembers) == 0) return;
  command.channel.reset();
  command.channels.clear();
  command.expected.clear();
  command.ttl.reset();
  command.commands.clear();
  command.prefix.clear();
  command.after.reset();
}

bool CommandReader::fail(RejectReason reason, std::size_t offset, std::string detail) {
  failure_ = Rejection{reason, offset, std::move(detail)};
  return false;
}

bool CommandReader::fail_channel(Member member, std::size_t offset, std::string_view name) {
  return fail(RejectReason::invalid_channel, offset,
              quoted(name) + " in " + quoted(member) +
                  " is not 1 to 128 bytes of A-Z a-z 0-9 _ . : ~ - @ /");
}

bool CommandReader::name(const JsonToken& token) {
  return depth_ == 1 ? begin_member(token) : begin_key(token);
}

bool CommandReader::scalar(JsonKind kind, const JsonToken& token) {
  if (depth_ > 1) return add_part(kind, token);
  if (depth_ == 0)
    return fail(RejectReason::not_an_object, command_->offset, "a command is a JSON object");
  if (!begin_value(kind, token.begin)) return false;
  keep(token);
  ends_[member_] = token.end;
  return true;
}

// Whether there is something in the member's value that is the decoder's business.
bool CommandReader::has_parts(Member member) const {
  if (member == kValue || member == kData) return false;
  return member != kCommands || !in_batch_;
}

Step CommandReader::open(JsonKind kind, std::size_t begin) {
  Step step = Step::over;
  if (depth_ == 0) {
    if (kind != JsonKind::object) {
      fail(RejectReason::not_an_object, command_->offset, "a command is a JSON object");
      return Step::stop;
    }
    step = Step::into;
  } else if (depth_ == 1) {
    if (!begin_value(kind, begin)) return Step::stop;
    if (has_parts(member_)) step = Step::into;
  } else {
    if (member_ != kSet) {
      add_part(kind, {begin, begin, {}});
      return Step::stop;
    }
    part_ = begin;
  }
  ++depth_;
  return step;
}

void CommandReader::close(std::size_t end) {
  --depth_;
  if (depth_ == 1) ends_[member_] = end;
  if (depth_ == 2) command_->set.back().value = message_.substr(part_, end - part_);
}

Command* CommandReader::add_command(std::size_t begin) {
  if (command_->commands.size() < kMaxBatchCommands) {
    Command& command = command_->commands.emplace_back();
    command.offset = begin;
    return &command;
  }
  fail(RejectReason::invalid_batch, begin, "a batch has at most 1000 commands");
  failure_->index = kMaxBatchCommands;
  return nullptr;
}

bool CommandReader::begin_member(const JsonToken& token) {
  const Member member = member_named(token.content);
  if (member == kMemberCount) {
    return fail(RejectReason::unknown_member, token.end,
                "member " + quoted(token.content) + " is unknown");
  }
  member_ = member;
  if (has(member)) {
    return fail(RejectReason::duplicate_member, token.end,
                "member " + quoted(token.content) + " stands twice");
  }
  seen_ |= bit(member);
  return true;
}

// Of `set` or `if`.
bool CommandReader::begin_key(const JsonToken& token) {
  if (!is_name(token.content)) {
    return fail(RejectReason::invalid_key, token.end,
                "a key in " + quoted(member_) + " is not 1 to 256 bytes long");
  }
  if (member_ == kSet) {
    command_->set.emplace_back().key = token.content;
  } else {
    command_->expected.emplace_back().key = token.content;
  }
  return true;
}

bool CommandReader::begin_value(JsonKind kind, std::size_t begin) {
  offsets_[member_] = begin;
  if ((info(member_).kinds & bit(kind)) != 0) return true;
  return fail(RejectReason::wrong_type, begin,
              "member " + quoted(member_) + " must be " + std::string(info(member_).wanted));
}

void CommandReader::keep(const JsonToken& token) {
  switch (member_) {
    case kOp:
      op_name_ = token.content;
      break;
    case kKey:
      command_->key = token.content;
      break;
    case kType:
      type_name_ = token.content;
      break;
    case kId:
      command_->id = token.content;
      break;
    case kNotify:
      command_->notify = message_[token.begin] == 't';
      break;
    case kChannel:
      command_->channel = token.content;
      break;
    case kPrefix:
      command_->prefix = token.content;
      break;
    case kAfter:
      command_->after = token.content;
      break;
    default:
      break;
  }
}

// A value in a member that has parts. Its token has a content only when it is a string.
bool CommandReader::add_part(JsonKind kind, const JsonToken& token) {
  if (member_ == kIf) return add_version(kind, token);
  if (member_ == kChannel || member_ == kChannels) return add_channel(kind, token);
  if (member_ == kCommands) {
    fail(RejectReason::not_an_object, token.begin, "a command is a JSON object");
    failure_->index = command_->commands.size();
    return false;
  }
  command_->set.back().value = message_.substr(token.begin, token.end - token.begin);
  return true;
}

bool CommandReader::add_version(JsonKind kind, const JsonToken& token) {
  Expected& expected = command_->expected.back();
  const auto version = kind == JsonKind::number
                           ? whole_number(message_.substr(token.begin, token.end - token.begin))
                           : std::nullopt;
  if (!version || *version > kMaxVersion) {
    return fail(RejectReason::invalid_version, token.begin,
                "the version of key " + quoted(expected.key) +
                    " in \"if\" is not a whole number from 0 to 9007199254740991");
  }
  expected.version = *version;
  return true;
}

bool CommandReader::add_channel(JsonKind kind, const JsonToken& token) {
  if (kind != JsonKind::string) {
    return fail(RejectReason::wrong_type, token.begin,
                "a channel's name in " + quoted(member_) + " must be a string");
  }
  if (command_->channels.size() == kMaxChannelsOfBroadcast) {
    return fail(RejectReason::invalid_channel, token.begin,
                "more than 1000 channels in " + quoted(member_));
  }
  if (!is_channel(token.content)) return fail_channel(member_, token.begin, token.content);
  command_->channels.emplace_back(token.content);
  return true;
}

bool CommandReader::check_op() {
  if (!has(kOp))
    return fail(RejectReason::missing_member, command_->offset, "member \"op\" is missing");
  const std::optional<Op> op = op_named(op_name_);
  if (!op) {
    return fail(RejectReason::unknown_op, offsets_[kOp],
                "op " + quoted(op_name_) +
                    " is unknown (set, merge, delete, broadcast, drop, batch, barrier)");
  }
  command_->op = *op;
  return !in_batch_ || check_in_batch();
}

bool CommandReader::check_in_batch() {
  if (!fits_batch(command_->op)) {
    return fail(
        RejectReason::invalid_batch, offsets_[kOp],
        "op " + quoted(op_name_) + " cannot be in a batch (set, merge, delete, broadcast, drop)");
  }
  if (has(kId)) {
    return fail(RejectReason::invalid_batch, offsets_[kId],
                "a command in a batch has no \"id\" of its own: the batch may have one");
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
  if (has(kId) && (command.id.empty() || command.id.size() > kMaxIdBytes))
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
  return (seen_ & kRareMembers) == 0 || check_rare_members();
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
  if (has(kCommands) && command_->commands.empty()) {
    return fail(RejectReason::invalid_batch, offsets_[kCommands],
                "a batch has at least one command");
  }
  return (!has(kChannel) || check_channel()) && (!has(kChannels) || check_list(kChannels)) &&
         (!has(kTtl) || check_ttl()) && check_twins(kIf, command_->expected);
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

bool CommandReader::check_channels_query() {
  Command& command = *command_;
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
