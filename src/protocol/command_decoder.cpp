#include "syncrelay/protocol/command_decoder.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "syncrelay/base/utf8.h"
#include "syncrelay/json/json_text.h"
#include "syncrelay/json/json_walk.h"
#include "syncrelay/protocol/limits.h"

namespace syncrelay {
namespace {

enum Member : unsigned { kOp, kKey, kValue, kType, kData, kSet, kNotify, kId, kMemberCount };

constexpr std::array<std::string_view, kMemberCount> kMemberNames = {
    "op", "key", "value", "type", "data", "set", "notify", "id"};

constexpr unsigned bit(Member member) {
  return 1U << member;
}

struct MembersOfOp {
  unsigned required;
  unsigned optional;
};

// By Op. A member that stands in neither set is unknown to the op.
constexpr std::array<MembersOfOp, kOpNames.size()> kMembersOfOp = {{
    {bit(kKey) | bit(kValue), bit(kNotify) | bit(kId)},
    {bit(kKey) | bit(kValue), bit(kNotify) | bit(kId)},
    {bit(kKey), bit(kNotify) | bit(kId)},
    {bit(kType), bit(kData) | bit(kSet) | bit(kNotify) | bit(kId)},
    {0, 0},
    {0, 0},
    {0, bit(kId)},
    {0, bit(kKey)},
    {0, 0},
    {0, 0},
    {0, 0},
    {0, 0},
}};

std::string quoted(std::string_view text) {
  constexpr std::size_t kShown = 64;
  std::string out;
  append_json_string(out, cut_at_character(text, kShown));
  if (text.size() > kShown) out += "…";
  return out;
}

Rejection reject(RejectReason reason, std::size_t offset, std::string detail) {
  return {reason, offset, std::move(detail)};
}

// Notes where the values of a command's members lie.
class CommandVisitor final : public JsonVisitor {
 public:
  // To be called before each walk.
  void expect(std::string_view message) { message_ = message; }

  const std::optional<Rejection>& failure() const { return failure_; }
  Command& command() { return command_; }

  void begin() override {
    depth_ = 0;
    seen_ = 0;
    failure_.reset();
    command_.set.clear();
    command_.key.clear();
    command_.id.clear();
    command_.notify = true;
    op_name_.clear();
    type_name_.clear();
  }

  bool name(const JsonToken& token) override {
    return depth_ == 1 ? begin_member(token) : begin_set_key(token);
  }

  bool scalar(JsonKind kind, const JsonToken& token) override {
    if (depth_ == 0) return check_command(kind);
    if (!begin_value(kind, token.begin)) return false;
    if (depth_ == 1) keep(token);
    end_value(token.end);
    return true;
  }

  Step open(JsonKind kind, std::size_t begin) override {
    const bool fits = depth_ == 0 ? check_command(kind) : begin_value(kind, begin);
    if (!fits) return Step::stop;
    const bool has_members = depth_ == 0 || (depth_ == 1 && member_ == kSet);
    ++depth_;
    return has_members ? Step::into : Step::over;
  }

  bool close(std::size_t end) override {
    if (--depth_ > 0) end_value(end);
    return true;
  }

  std::optional<Rejection> check_members();

 private:
  bool fail(RejectReason reason, std::size_t offset, std::string detail) {
    failure_ = reject(reason, offset, std::move(detail));
    return false;
  }

  bool check_command(JsonKind kind) {
    return kind == JsonKind::object ||
           fail(RejectReason::not_an_object, 0, "a command is a JSON object");
  }

  bool begin_member(const JsonToken& token) {
    const auto found = std::find(kMemberNames.begin(), kMemberNames.end(), token.content);
    if (found == kMemberNames.end()) {
      return fail(RejectReason::unknown_member, token.end,
                  "member " + quoted(token.content) + " is unknown");
    }
    member_ = static_cast<Member>(found - kMemberNames.begin());
    if (has(member_)) {
      return fail(RejectReason::duplicate_member, token.end,
                  "member " + quoted(token.content) + " stands twice");
    }
    seen_ |= bit(member_);
    return true;
  }

  bool begin_set_key(const JsonToken& token) {
    if (token.content.empty() || token.content.size() > kMaxNameBytes) {
      return fail(RejectReason::invalid_key, token.end,
                  "a key in \"set\" is not 1 to 256 bytes long");
    }
    command_.set.emplace_back().key = token.content;
    return true;
  }

  // Of a member, or of a key of `set`.
  bool begin_value(JsonKind kind, std::size_t begin) {
    if (depth_ > 1) {
      set_value_ = begin;
      return true;
    }
    offsets_[member_] = begin;
    return check_kind(kind);
  }

  void end_value(std::size_t end) {
    if (depth_ == 1) {
      ends_[member_] = end;
    } else {
      command_.set.back().value = message_.substr(set_value_, end - set_value_);
    }
  }

  void keep(const JsonToken& token) {
    if (member_ == kOp) op_name_ = token.content;
    if (member_ == kKey) command_.key = token.content;
    if (member_ == kType) type_name_ = token.content;
    if (member_ == kId) command_.id = token.content;
    if (member_ == kNotify) command_.notify = message_[token.begin] == 't';
  }

  bool check_kind(JsonKind kind) {
    JsonKind wanted = kind;
    if (member_ == kOp || member_ == kKey || member_ == kType || member_ == kId)
      wanted = JsonKind::string;
    if (member_ == kSet) wanted = JsonKind::object;
    if (member_ == kNotify) wanted = JsonKind::boolean;
    if (kind == wanted) return true;
    static constexpr std::array<const char*, 6> kKindNames = {"null",     "a boolean", "a number",
                                                              "a string", "an object", "an array"};
    return fail(RejectReason::wrong_type, offsets_[member_],
                "member " + quoted(kMemberNames[member_]) + " must be " +
                    kKindNames[static_cast<std::size_t>(wanted)]);
  }

  std::string_view text_of(Member member) const {
    return message_.substr(offsets_[member], ends_[member] - offsets_[member]);
  }

  bool has(Member member) const { return (seen_ & bit(member)) != 0; }
  std::optional<Rejection> check_values();
  std::optional<Rejection> check_type() const;
  std::optional<Rejection> check_set();

  std::string_view message_;
  std::size_t depth_ = 0;  // open objects and arrays, the command being one
  unsigned seen_ = 0;
  Member member_ = kOp;        // the last one
  std::size_t set_value_ = 0;  // where the last value in `set` begins
  std::array<std::size_t, kMemberCount> offsets_{};
  std::array<std::size_t, kMemberCount> ends_{};
  std::string op_name_;
  std::string type_name_;
  Command command_;
  std::optional<Rejection> failure_;
};

std::optional<Rejection> CommandVisitor::check_members() {
  if ((seen_ & bit(kOp)) == 0)
    return reject(RejectReason::missing_member, 0, "member \"op\" is missing");
  const auto op = std::find(kOpNames.begin(), kOpNames.end(), op_name_);
  if (op == kOpNames.end()) {
    return reject(
        RejectReason::unknown_op, offsets_[kOp],
        "op " + quoted(op_name_) + " is unknown (set, merge, delete, broadcast, barrier)");
  }
  command_.op = static_cast<Op>(op - kOpNames.begin());
  const MembersOfOp& allowed = kMembersOfOp[static_cast<std::size_t>(command_.op)];
  for (unsigned member = kKey; member < kMemberCount; ++member) {
    const unsigned mask = 1U << member;
    if ((allowed.required & ~seen_ & mask) != 0) {
      return reject(RejectReason::missing_member, 0,
                    "op \"" + op_name_ + "\" needs member " + quoted(kMemberNames[member]));
    }
    if ((seen_ & ~(allowed.required | allowed.optional) & mask) != 0) {
      return reject(RejectReason::unknown_member, offsets_[member],
                    "op \"" + op_name_ + "\" has no member " + quoted(kMemberNames[member]));
    }
  }
  return check_values();
}

// All members are there that the op wants; now what stands in them.
std::optional<Rejection> CommandVisitor::check_values() {
  if (has(kId) && (command_.id.empty() || command_.id.size() > kMaxIdBytes)) {
    return reject(RejectReason::invalid_id, offsets_[kId], "\"id\" is not 1 to 128 bytes long");
  }
  if (has(kKey) && (command_.key.empty() || command_.key.size() > kMaxNameBytes)) {
    return reject(RejectReason::invalid_key, offsets_[kKey], "\"key\" is not 1 to 256 bytes long");
  }
  command_.value = has(kValue) ? text_of(kValue) : std::string_view();
  if (command_.op != Op::broadcast) return std::nullopt;
  command_.type = text_of(kType);
  command_.data = has(kData) ? text_of(kData) : std::string_view("null");
  command_.set_object = has(kSet) ? text_of(kSet) : std::string_view();
  if (auto failure = check_type()) return failure;
  return check_set();
}

std::optional<Rejection> CommandVisitor::check_type() const {
  if (type_name_.empty() || type_name_.size() > kMaxNameBytes) {
    return reject(RejectReason::invalid_type, offsets_[kType],
                  "\"type\" is not 1 to 256 bytes long");
  }
  if (type_name_ == "ping" || std::string_view(type_name_).substr(0, 5) == "sync:") {
    return reject(RejectReason::reserved_type, offsets_[kType],
                  "type " + quoted(type_name_) +
                      " is the relay's own (\"ping\" and all that begin with \"sync:\")");
  }
  return std::nullopt;
}

std::optional<Rejection> CommandVisitor::check_set() {
  if (command_.set.size() < 2) return std::nullopt;
  std::vector<std::string_view> keys;
  keys.reserve(command_.set.size());
  for (const KeyValue& entry : command_.set) keys.emplace_back(entry.key);
  std::sort(keys.begin(), keys.end());
  const auto twin = std::adjacent_find(keys.begin(), keys.end());
  if (twin == keys.end()) return std::nullopt;
  return reject(RejectReason::duplicate_member, offsets_[kSet],
                "key " + quoted(*twin) + " stands twice in \"set\"");
}

RejectReason reason_of(JsonFault::Kind kind) {
  switch (kind) {
    case JsonFault::Kind::not_a_number:
      return RejectReason::not_a_number;
    case JsonFault::Kind::not_utf8:
      return RejectReason::invalid_utf8;
    case JsonFault::Kind::lone_surrogate:
      return RejectReason::lone_surrogate;
    case JsonFault::Kind::trailing:
      return RejectReason::trailing_bytes;
    case JsonFault::Kind::too_deep:
      return RejectReason::too_deep;
    default:
      return RejectReason::invalid_json;
  }
}

Rejection rejection_of(const JsonFault& fault, std::string_view message) {
  std::string detail = fault.reason;
  if (fault.kind == JsonFault::Kind::trailing) {
    detail = message[fault.offset] == '\0' ? "a NUL byte follows the command"
                                           : "something follows the command";
  }
  return reject(reason_of(fault.kind), fault.offset, std::move(detail));
}

}  // namespace

struct CommandDecoder::Parser {
  JsonWalk walk{kMaxNesting};
  CommandVisitor visitor;
};

CommandDecoder::CommandDecoder(std::size_t max_command_bytes)
    : parser_(std::make_unique<Parser>()), max_command_bytes_(max_command_bytes) {}

CommandDecoder::~CommandDecoder() = default;

Result<const Command*, Rejection> CommandDecoder::decode(std::string_view message) {
  if (message.size() > max_command_bytes_) {
    return reject(RejectReason::too_large, max_command_bytes_,
                  std::to_string(message.size()) + " bytes are more than --max-command allows");
  }
  CommandVisitor& visitor = parser_->visitor;
  visitor.expect(message);
  const std::optional<JsonFault> fault = parser_->walk.visit(message, visitor);
  if (visitor.failure()) return *visitor.failure();
  if (fault) return rejection_of(*fault, message);
  if (auto failure = visitor.check_members()) return *std::move(failure);
  return &visitor.command();
}

}  // namespace syncrelay
