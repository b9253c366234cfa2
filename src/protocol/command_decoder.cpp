#include "syncrelay/protocol/command_decoder.h"

#include <rapidjson/error/en.h>
#include <rapidjson/memorystream.h>
#include <rapidjson/reader.h>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "syncrelay/base/utf8.h"
#include "syncrelay/protocol/json_text.h"
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
    {0, bit(kKey)},
    {0, 0},
    {0, 0},
    {0, 0},
}};

enum class JsonKind : std::uint8_t { null, boolean, number, string, object, array };

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

// RapidJSON's UTF-8 encoder makes these bytes of a lone \uDC00; releases before 2017 accept it.
bool has_surrogate(std::string_view text) {
  for (std::size_t at = text.find('\xED'); at != std::string_view::npos;
       at = text.find('\xED', at + 1)) {
    if (at + 1 < text.size() && static_cast<unsigned char>(text[at + 1]) >= 0xA0) return true;
  }
  return false;
}

// Whether the escape at `at`, if there is one, is a surrogate of the half that these letters begin.
bool is_surrogate_escape(std::string_view message, std::size_t at, std::string_view letters) {
  const std::string_view escape = message.substr(at, 6);
  return escape.size() == 6 && escape[0] == '\\' && escape[1] == 'u' &&
         (escape[2] == 'd' || escape[2] == 'D') &&
         letters.find(escape[3]) != std::string_view::npos;
}

// Where the last low surrogate without a high one stands in the string that ends at `end`, given
// that there is one.
std::size_t lone_surrogate_before(std::string_view message, std::size_t end) {
  for (std::size_t at = std::min(end, message.size()); at-- > 0;) {
    if (!is_surrogate_escape(message, at, "cdefCDEF")) continue;
    if (at < 6 || !is_surrogate_escape(message, at - 6, "89abAB")) return at;
  }
  return end;
}

// Hears the events of RapidJSON's iterative parser and notes where the values of the members lie.
// The parser calls End… before it takes the closing bracket, hence the +1 there.
class CommandHandler {
 public:
  void begin(std::string_view message, const rapidjson::MemoryStream& stream) {
    message_ = message;
    stream_ = &stream;
    depth_ = 0;
    seen_ = 0;
    open_member_.reset();
    set_key_.reset();
    failure_.reset();
    command_.set.clear();
    command_.key.clear();
    command_.id.clear();
    command_.notify = true;
    op_name_.clear();
    type_name_.clear();
  }

  const std::optional<Rejection>& failure() const { return failure_; }
  Command& command() { return command_; }

  // RapidJSON's handler interface.
  bool Null() { return scalar(JsonKind::null, {}); }
  bool Bool(bool value) {
    bool_ = value;
    return scalar(JsonKind::boolean, {});
  }
  bool Int(int) { return scalar(JsonKind::number, {}); }
  bool Uint(unsigned) { return scalar(JsonKind::number, {}); }
  bool Int64(std::int64_t) { return scalar(JsonKind::number, {}); }
  bool Uint64(std::uint64_t) { return scalar(JsonKind::number, {}); }
  bool Double(double) { return scalar(JsonKind::number, {}); }
  bool RawNumber(const char*, rapidjson::SizeType, bool) { return scalar(JsonKind::number, {}); }
  bool String(const char* text, rapidjson::SizeType size, bool) {
    const std::string_view value(text, size);
    if (has_surrogate(value)) return fail_surrogate();
    return scalar(JsonKind::string, value);
  }
  bool StartObject() { return open(JsonKind::object); }
  bool StartArray() { return open(JsonKind::array); }
  bool EndObject(rapidjson::SizeType) { return close(); }
  bool EndArray(rapidjson::SizeType) { return close(); }
  bool Key(const char* text, rapidjson::SizeType size, bool) {
    const std::string_view key(text, size);
    if (has_surrogate(key)) return fail_surrogate();
    if (depth_ == 1) return begin_member(key);
    if (depth_ == 2 && open_member_ == kSet) return begin_set_key(key);
    return true;
  }

  std::optional<Rejection> check_members();

  static constexpr const char* kSurrogateDetail = "a \\u escape is half of a surrogate pair";

 private:
  std::size_t position() const { return stream_->Tell(); }

  bool fail(RejectReason reason, std::size_t offset, std::string detail) {
    failure_ = reject(reason, offset, std::move(detail));
    return false;
  }

  bool fail_surrogate() {
    return fail(RejectReason::lone_surrogate, lone_surrogate_before(message_, position()),
                kSurrogateDetail);
  }

  // The value that follows the key whose closing quote was just taken.
  std::size_t value_after_key() const {
    return skip_space(message_, skip_space(message_, position()) + 1);
  }

  bool begin_member(std::string_view key) {
    const auto found = std::find(kMemberNames.begin(), kMemberNames.end(), key);
    if (found == kMemberNames.end()) {
      return fail(RejectReason::unknown_member, position(),
                  "member " + quoted(key) + " is unknown");
    }
    open_member_ = static_cast<Member>(found - kMemberNames.begin());
    if ((seen_ & bit(*open_member_)) != 0) {
      return fail(RejectReason::duplicate_member, position(),
                  "member " + quoted(key) + " stands twice");
    }
    seen_ |= bit(*open_member_);
    offsets_[*open_member_] = value_after_key();
    return true;
  }

  bool begin_set_key(std::string_view key) {
    if (key.empty() || key.size() > kMaxNameBytes) {
      return fail(RejectReason::invalid_key, position(),
                  "a key in \"set\" is not 1 to 256 bytes long");
    }
    set_key_ = value_after_key();
    command_.set.push_back({std::string(key), {}});
    return true;
  }

  bool open(JsonKind kind) {
    if (depth_ == 0 && kind != JsonKind::object) return not_an_object();
    if (depth_ == 1 && !check_kind(kind)) return false;
    if (depth_ == kMaxNesting)
      return fail(RejectReason::too_deep, position(), "nested deeper than 512 levels");
    ++depth_;
    return true;
  }

  bool close() {
    --depth_;
    end_value(position() + 1);
    return true;
  }

  bool scalar(JsonKind kind, std::string_view text) {
    if (depth_ == 0) return not_an_object();
    if (depth_ == 1) {
      if (!check_kind(kind)) return false;
      if (open_member_ == kOp) op_name_ = text;
      if (open_member_ == kKey) command_.key = text;
      if (open_member_ == kType) type_name_ = text;
      if (open_member_ == kId) command_.id = text;
      if (open_member_ == kNotify) command_.notify = bool_;
    }
    end_value(position());
    return true;
  }

  // A value at level 1 or in `set` is complete.
  void end_value(std::size_t end) {
    if (depth_ == 1) ends_[*open_member_] = end;
    if (depth_ == 2 && set_key_ && open_member_ == kSet) {
      command_.set.back().value = message_.substr(*set_key_, end - *set_key_);
      set_key_.reset();
    }
  }

  bool not_an_object() {
    return fail(RejectReason::not_an_object, 0, "a command is a JSON object");
  }

  bool check_kind(JsonKind kind) {
    const Member member = *open_member_;
    JsonKind wanted = kind;
    if (member == kOp || member == kKey || member == kType || member == kId)
      wanted = JsonKind::string;
    if (member == kSet) wanted = JsonKind::object;
    if (member == kNotify) wanted = JsonKind::boolean;
    if (kind == wanted) return true;
    static constexpr std::array<const char*, 6> kKindNames = {"null",     "a boolean", "a number",
                                                              "a string", "an object", "an array"};
    return fail(RejectReason::wrong_type, offsets_[member],
                "member " + quoted(kMemberNames[member]) + " must be " +
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
  const rapidjson::MemoryStream* stream_ = nullptr;
  std::size_t depth_ = 0;
  unsigned seen_ = 0;
  std::optional<Member> open_member_;
  std::optional<std::size_t>
      set_key_;  // where the value begins that belongs to the last key of `set`
  std::array<std::size_t, kMemberCount> offsets_{};
  std::array<std::size_t, kMemberCount> ends_{};
  bool bool_ = false;
  std::string op_name_;
  std::string type_name_;
  Command command_;
  std::optional<Rejection> failure_;
};

std::optional<Rejection> CommandHandler::check_members() {
  if ((seen_ & bit(kOp)) == 0)
    return reject(RejectReason::missing_member, 0, "member \"op\" is missing");
  const auto op = std::find(kOpNames.begin(), kOpNames.end(), op_name_);
  if (op == kOpNames.end()) {
    return reject(RejectReason::unknown_op, offsets_[kOp],
                  "op " + quoted(op_name_) + " is unknown (set, merge, delete, broadcast)");
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
std::optional<Rejection> CommandHandler::check_values() {
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

std::optional<Rejection> CommandHandler::check_type() const {
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

std::optional<Rejection> CommandHandler::check_set() {
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

// The parser's error in our terms. `message` is looked at because RapidJSON calls NaN just an
// invalid value.
Rejection translate(const rapidjson::ParseResult& result, std::string_view message) {
  const std::size_t offset = result.Offset();
  const std::string_view rest = message.substr(std::min(offset, message.size()));
  const std::string_view before = message.substr(0, std::min(offset, message.size()));
  if (rest.starts_with("NaN") || rest.starts_with("Infinity")) {
    const std::size_t sign = !before.empty() && before.back() == '-' ? 1 : 0;
    return reject(RejectReason::not_a_number, offset - sign, "NaN and Infinity are not JSON");
  }
  switch (result.Code()) {
    case rapidjson::kParseErrorStringInvalidEncoding:
      return reject(RejectReason::invalid_utf8, offset, "a string is not UTF-8");
    case rapidjson::kParseErrorStringUnicodeSurrogateInvalid:
      return reject(RejectReason::lone_surrogate, offset, CommandHandler::kSurrogateDetail);
    case rapidjson::kParseErrorDocumentRootNotSingular:
      return reject(RejectReason::trailing_bytes, offset, "something follows the command");
    default:
      return reject(RejectReason::invalid_json, offset, rapidjson::GetParseError_En(result.Code()));
  }
}

constexpr unsigned kParseFlags = rapidjson::kParseIterativeFlag |
                                 rapidjson::kParseValidateEncodingFlag |
                                 rapidjson::kParseNumbersAsStringsFlag;

}  // namespace

struct CommandDecoder::Parser {
  // Parses `text`, which is the message or the message with_small_numbers().
  Result<const Command*, Rejection> decode(std::string_view message, std::string_view text);

  rapidjson::Reader reader;
  CommandHandler handler;
};

Result<const Command*, Rejection> CommandDecoder::Parser::decode(std::string_view message,
                                                                 std::string_view text) {
  rapidjson::MemoryStream stream(text.data(), text.size());
  handler.begin(message, stream);
  const rapidjson::ParseResult parsed = reader.Parse<kParseFlags>(stream, handler);
  if (handler.failure()) return *handler.failure();
  if (parsed.Code() == rapidjson::kParseErrorNumberTooBig && text.data() == message.data()) {
    return decode(message, with_small_numbers(message));
  }
  if (parsed.IsError()) return translate(parsed, message);
  if (stream.Tell() < message.size()) {
    return reject(RejectReason::trailing_bytes, stream.Tell(), "a NUL byte follows the command");
  }
  if (auto failure = handler.check_members()) return *std::move(failure);
  return &handler.command();
}

CommandDecoder::CommandDecoder(std::size_t max_command_bytes)
    : parser_(std::make_unique<Parser>()), max_command_bytes_(max_command_bytes) {}

CommandDecoder::~CommandDecoder() = default;

Result<const Command*, Rejection> CommandDecoder::decode(std::string_view message) {
  if (message.size() > max_command_bytes_) {
    return reject(RejectReason::too_large, max_command_bytes_,
                  std::to_string(message.size()) + " bytes are more than --max-command allows");
  }
  return parser_->decode(message, message);
}

}  // namespace syncrelay
