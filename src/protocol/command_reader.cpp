#include "protocol/command_reader.h"

#include <utility>

#include "protocol/command_words.h"
#include "protocol/number_text.h"
#include "syncrelay/protocol/limits.h"

namespace syncrelay {
namespace {

using Step = JsonVisitor::Step;

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
  command.member.clear();
  command.notify = true;
  command.limit = 0;
  command.worker.events = {};
  if ((seen_ & kRareMembers) == 0) return;
  command.channel.reset();
  command.channels.clear();
  command.expected.clear();
  command.ttl.reset();
  command.commands.clear();
  command.commands_array = {};
  command.prefix.clear();
  command.after.reset();
  command.after_seq.reset();
  command.from.clear();
  command.trace = {};
  command.connection.reset();
  command.reason.clear();
  command.client.clear();
  command.worker.numbers.clear();
  command.untried = false;
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
  if (--depth_ == 1)
    ends_[member_] = end;
  else if (depth_ == 2)
    command_->set.back().value = message_.substr(part_, end - part_);
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
  return (info(member_).kinds & bit(kind)) != 0 || fail_kind(begin);
}

bool CommandReader::fail_kind(std::size_t offset) {
  return fail(RejectReason::wrong_type, offset,
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
    case kUntried:
      command_->untried = message_[token.begin] == 't';
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
    case kFrom:
      command_->from = token.content;
      break;
    case kClient:
      command_->client = token.content;
      break;
    case kReason:
      command_->reason = token.content;
      break;
    default:
      break;
  }
}

// A value in a member that has parts. Its token has a content only when it is a string.
bool CommandReader::add_part(JsonKind kind, const JsonToken& token) {
  if (member_ == kIf) return add_version(kind, token);
  if (member_ == kChannel || member_ == kChannels) return add_channel(kind, token);
  if (member_ == kNumbers) return add_number(kind, token);
  if (member_ == kEvents) return add_event(kind, token);
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

bool CommandReader::add_number(JsonKind kind, const JsonToken& token) {
  const auto number = kind == JsonKind::number
                          ? whole_number(message_.substr(token.begin, token.end - token.begin))
                          : std::nullopt;
  if (!number || *number == 0 || *number > kMaxVersion) {
    return fail(RejectReason::invalid_number, token.begin,
                "a number in \"n\" is not a whole number from 1 to 9007199254740991");
  }
  if (command_->worker.numbers.size() == kMaxSettled)
    return fail(RejectReason::invalid_number, token.begin, "more than 1000 numbers in \"n\"");
  command_->worker.numbers.push_back(*number);
  return true;
}

bool CommandReader::add_event(JsonKind kind, const JsonToken& token) {
  const auto event =
      kind == JsonKind::string ? worker_event_named(token.content) : std::optional<WorkerEvent>();
  if (!event || command_->worker.events.has(*event)) {
    return fail(RejectReason::invalid_member, token.begin,
                "\"events\" is not a list of message, connected, disconnected, joined, left, each "
                "at most once");
  }
  command_->worker.events.add(*event);
  return true;
}

}  // namespace syncrelay
