#include "syncrelay/protocol/command_decoder.h"

#include <optional>
#include <utility>

#include "protocol/command_reader.h"
#include "syncrelay/json/json_walk.h"
#include "syncrelay/protocol/limits.h"

namespace syncrelay {
namespace {

// Tells the reader of the message, and within a batch the reader of its commands, what a walk comes
// by.
class CommandVisitor final : public JsonVisitor {
 public:
  // To be called before each walk.
  void expect(std::string_view message) { message_ = message; }

  // What is to be called when the walk is over without a fault.
  bool check() { return whole_.check(); }

  // Of the last walk, or check().
  std::optional<Rejection> failure() const;
  const Command& command() const { return command_; }

  void begin() override {
    reader_ = &whole_;
    whole_.begin(message_, command_);
  }

  bool name(const JsonToken& token) override { return reader_->name(token); }

  bool scalar(JsonKind kind, const JsonToken& token) override {
    return reader_->scalar(kind, token);
  }

  Step open(JsonKind kind, std::size_t begin) override {
    if (!within() && whole_.stands_in_commands() && kind == JsonKind::object) {
      if (!begin_command(begin)) return Step::stop;
    }
    return reader_->open(kind, begin);
  }

  bool close(std::size_t end) override {
    reader_->close(end);
    if (!within() || !inner_.over()) return true;
    if (!inner_.check()) return false;
    reader_ = &whole_;
    return true;
  }

 private:
  bool within() const { return reader_ == &inner_; }  // a command of a batch
  bool begin_command(std::size_t begin);

  std::string_view message_;
  Command command_;
  CommandReader whole_;
  CommandReader inner_;
  CommandReader* reader_ = &whole_;  // of what comes next
};

bool CommandVisitor::begin_command(std::size_t begin) {
  Command* const command = whole_.add_command(begin);
  if (command == nullptr) return false;
  inner_.begin_in_batch(message_, *command);
  reader_ = &inner_;
  return true;
}

std::optional<Rejection> CommandVisitor::failure() const {
  if (!within()) return whole_.failure();
  std::optional<Rejection> failure = inner_.failure();
  if (failure) failure->index = command_.commands.size() - 1;
  return failure;
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
  return {reason_of(fault.kind), fault.offset, std::move(detail)};
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
    return Rejection{RejectReason::too_large, max_command_bytes_,
                     std::to_string(message.size()) + " bytes are more than --max-command allows"};
  }
  CommandVisitor& visitor = parser_->visitor;
  visitor.expect(message);
  const std::optional<JsonFault> fault = parser_->walk.visit(message, visitor);
  if (fault && fault->kind != JsonFault::Kind::stopped) return rejection_of(*fault, message);
  if (fault || !visitor.check()) return *visitor.failure();
  return &visitor.command();
}

}  // namespace syncrelay
