#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/command_members.h"
#include "syncrelay/json/json_visitor.h"
#include "syncrelay/protocol/command.h"
#include "syncrelay/protocol/rejection.h"

namespace syncrelay {

// Makes a Command of what a walk tells of one JSON object, which is the whole message or stands in
// its batch: hears what JsonVisitor hears between the object's brackets, notes where the values of
// its members lie, and checks them. What is false, or Step::stop, leaves a failure().
class CommandReader {
 public:
  // Begins the message that is one command. `command`, always the same, is emptied and then holds
  // what comes of it.
  void begin(std::string_view message, Command& command);
  // Begins a command in the batch of the message: an empty one that knows its offset, and that
  // stays where it is until the command is over.
  void begin_in_batch(std::string_view message, Command& command);

  bool name(const JsonToken& token);
  bool scalar(JsonKind kind, const JsonToken& token);
  JsonVisitor::Step open(JsonKind kind, std::size_t begin);
  void close(std::size_t end);

  bool over() const { return depth_ == 0; }  // of what has begun

  // Whether what comes next is an element of `commands`, for a reader of its own; then: takes
  // account of it. Null: it is one too many.
  bool stands_in_commands() const { return depth_ == 2 && member_ == kCommands; }
  Command* add_command(std::size_t begin);

  // When the object is over: whether all is there that the op wants.
  bool check() { return check_op() && check_members() && check_values(); }

  const std::optional<Rejection>& failure() const { return failure_; }

 private:
  // Cold, so that the way to them burdens no command that is taken.
  [[gnu::cold]] bool fail(RejectReason reason, std::size_t offset, std::string detail);
  [[gnu::cold]] bool fail_kind(std::size_t offset);
  [[gnu::cold]] bool fail_channel(Member member, std::size_t offset, std::string_view name);
  bool begin_member(const JsonToken& token);
  bool begin_key(const JsonToken& token);
  bool begin_value(JsonKind kind, std::size_t begin);
  void keep(const JsonToken& token);
  bool add_part(JsonKind kind, const JsonToken& token);
  bool add_version(JsonKind kind, const JsonToken& token);
  bool add_channel(JsonKind kind, const JsonToken& token);
  bool add_number(JsonKind kind, const JsonToken& token);
  bool add_event(JsonKind kind, const JsonToken& token);

  bool has(Member member) const { return (seen_ & bit(member)) != 0; }
  std::string_view text_of(Member member) const {
    return message_.substr(offsets_[member], ends_[member] - offsets_[member]);
  }
  struct Seconds {
    int least;
    int most;
    int usual;  // where the member is left out
  };

  void start(std::string_view message, Command& command);
  void forget();
  bool has_parts(Member member) const;
  bool check_op();
  bool check_in_batch();
  bool check_members();
  bool check_values();
  bool check_will();
  bool check_type();
  bool check_rare_members();
  bool check_channel();
  bool check_list(Member member);
  bool check_ttl();
  bool check_channels_query();
  bool check_events_query();
  bool check_from();
  bool check_traceparent();
  bool check_disconnect();
  bool check_close_frame();
  bool check_worker_wish();
  bool check_seconds(Member member, std::chrono::milliseconds& time, Seconds range);
  template <typename Entry>
  bool check_twins(Member member, const std::vector<Entry>& entries);

  std::string_view message_;
  Command* command_ = nullptr;
  bool in_batch_ = false;
  std::size_t depth_ = 0;  // open objects and arrays, the command being one
  unsigned seen_ = 0;      // members
  Member member_ = kOp;    // the last one
  std::size_t part_ = 0;   // where the last value in it begins
  std::array<std::size_t, kMemberCount> offsets_{};
  std::array<std::size_t, kMemberCount> ends_{};
  std::string op_name_;
  std::string type_name_;
  std::optional<Rejection> failure_;
};

}  // namespace syncrelay
