#include "syncrelay/protocol/server_message.h"

#include "syncrelay/json/json_text.h"

namespace syncrelay {
namespace {

void append_ts_and_seq(std::string& out, WallTime ts, Seq seq) {
  out += R"(,"ts":)";
  append_timestamp(out, ts);
  out += R"(,"seq":)";
  out += std::to_string(seq.value);
}

void append_position(std::string& out, const PositionText& position) {
  append_ts_and_seq(out, position.ts, position.seq);
  out.append(R"(,"epoch":")").append(position.epoch) += '"';
}

}  // namespace

EventEncoder::Pieces EventEncoder::encode(const Command& command, bool back_to_null, WallTime ts,
                                          Seq seq) {
  count_ = 0;
  if (command.op == Op::broadcast) {
    add_broadcast(command);
  } else {
    add_change(command, back_to_null);
  }
  tail_.clear();
  append_ts_and_seq(tail_, ts, seq);
  tail_ += '}';
  add(tail_);
  return {pieces_.data(), count_};
}

void EventEncoder::add_broadcast(const Command& command) {
  add(R"({"type":)");
  add(command.type);
  add(R"(,"data":)");
  add(command.data);
  if (!command.notify || command.set_object.empty()) return;
  add(R"(,"set":)");
  add(command.set_object);
}

void EventEncoder::add_change(const Command& command, bool back_to_null) {
  key_.clear();
  append_json_string(key_, command.key);
  if (command.op == Op::remove && !back_to_null) {
    add(R"({"type":"sync:delete","data":[)");
    add(key_);
    add("]");
    return;
  }
  add(command.op == Op::merge ? R"({"type":"sync:merge","data":{)"
                              : R"({"type":"sync:set","data":{)");
  add(key_);
  add(":");
  add(command.op == Op::remove ? "null" : command.value);
  add("}");
}

std::string snapshot_end(const PositionText& position, std::uint64_t skipped) {
  std::string end;
  append_position(end, position);
  if (skipped > 0) end += R"(,"skipped":)" + std::to_string(skipped);
  return end += '}';
}

std::string resume_message(const PositionText& position, Seq last) {
  std::string message = R"({"type":"sync:resume","data":{"from":)";
  message += std::to_string(position.seq.next().value);
  message += R"(,"to":)" + std::to_string(last.value) + '}';
  append_position(message, position);
  return message += '}';
}

}  // namespace syncrelay
