#include "syncrelay/protocol/server_message.h"

#include "syncrelay/base/utf8.h"
#include "syncrelay/json/json_text.h"
#include "syncrelay/protocol/limits.h"

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

// The begin of a message, up to the channel.
std::string head(std::string_view type, std::string_view channel) {
  std::string text(R"({"type":")");
  text.append(type) += '"';
  if (channel.empty()) return text;
  text += R"(,"channel":)";
  append_json_string(text, cut_at_character(as_utf8(channel), kMaxChannelBytes));
  return text;
}

}  // namespace

EventEncoder::Pieces EventEncoder::encode(std::string_view channel, const Command& command,
                                          bool back_to_null, WallTime ts, Seq seq) {
  count_ = 0;
  if (command.op == Op::broadcast) {
    add_broadcast(channel, command);
  } else {
    add_change(channel, command, back_to_null);
  }
  if (!command.trace.empty()) add_trace(command);
  return finish(ts, seq);
}

EventEncoder::Pieces EventEncoder::encode(std::string_view channel, MemberChange change,
                                          const MemberText& member, WallTime ts, Seq seq) {
  constexpr std::array<std::string_view, 3> kHeads = {
      R"({"type":"sync:joined")", R"({"type":"sync:changed")", R"({"type":"sync:left")"};
  count_ = 0;
  add(kHeads[static_cast<std::size_t>(change)]);
  add_channel(channel);
  add(R"(,"data":{"id":")");
  add(member.id);
  add(R"(")");
  if (change != MemberChange::left) {
    add(R"(,"info":)");
    add(member.info);
    add(R"(,"since":)");
    add(member.since);
  }
  add("}");
  return finish(ts, seq);
}

EventEncoder::Pieces EventEncoder::finish(WallTime ts, Seq seq) {
  tail_.clear();
  append_ts_and_seq(tail_, ts, seq);
  tail_ += '}';
  add(tail_);
  return {pieces_.data(), count_};
}

void EventEncoder::add_channel(std::string_view channel) {
  if (channel.empty()) return;
  add(R"(,"channel":")");
  add(channel);
  add(R"(")");
}

void EventEncoder::add_broadcast(std::string_view channel, const Command& command) {
  add(R"({"type":)");
  add(command.type);
  add_channel(channel);
  add(R"(,"data":)");
  add(command.data);
  if (command.notify && !command.set_object.empty()) {
    add(R"(,"set":)");
    add(command.set_object);
  }
  add_sender(command);
}

void EventEncoder::add_sender(const Command& command) {
  if (command.from.empty()) return;
  add(R"(,"from":")");
  add(command.from);
  add(R"(")");
}

void EventEncoder::add_trace(const Command& command) {
  add(R"(,"trace":)");
  add(command.trace);
}

void EventEncoder::add_change(std::string_view channel, const Command& command, bool back_to_null) {
  key_.clear();
  append_json_string(key_, command.key);
  if (command.op == Op::remove && !back_to_null) {
    add(R"({"type":"sync:delete")");
    add_channel(channel);
    add(R"(,"data":[)");
    add(key_);
    add("]");
    return;
  }
  add(command.op == Op::merge ? R"({"type":"sync:merge")" : R"({"type":"sync:set")");
  add_channel(channel);
  add(R"(,"data":{)");
  add(key_);
  add(":");
  add(command.op == Op::remove ? "null" : command.value);
  add("}");
}

std::string snapshot_head(std::string_view channel) {
  return head("sync:full", channel) + R"(,"data":{)";
}

std::string snapshot_end(const PositionText& position, std::uint64_t skipped) {
  std::string end;
  append_position(end, position);
  if (skipped > 0) end += R"(,"skipped":)" + std::to_string(skipped);
  return end += '}';
}

std::string resume_message(std::string_view channel, const PositionText& position, Seq last) {
  std::string message = head("sync:resume", channel) + R"(,"data":{"from":)";
  message += std::to_string(position.seq.next().value);
  message += R"(,"to":)" + std::to_string(last.value) + '}';
  append_position(message, position);
  return message += '}';
}

std::string unsubscribed_message(std::string_view channel, bool dropped, std::uint64_t skipped) {
  std::string message = head("sync:unsubscribed", channel);
  if (dropped) message += R"(,"reason":"dropped")";
  if (skipped > 0) message += R"(,"skipped":)" + std::to_string(skipped);
  return message += '}';
}

std::string refused_message(std::string_view channel, RefusedSubscription why) {
  std::string message = head("sync:refused", channel);
  message.append(R"(,"code":")").append(info(why).name);
  message.append(R"(","message":")").append(info(why).message);
  return message += R"("})";
}

std::string ack_message(std::string_view ref) {
  std::string message = R"({"type":"sync:ack","ref":)";
  append_json_string(message, ref);
  return message += '}';
}

std::string expiring_message(std::chrono::seconds left) {
  return R"({"type":"sync:expiring","in":)" + std::to_string(left.count()) + '}';
}

std::string error_message(std::string_view ref, std::string_view code, std::string_view message) {
  std::string text = R"({"type":"sync:error")";
  if (!ref.empty()) {
    text += R"(,"ref":)";
    append_json_string(text, ref);
  }
  text.append(R"(,"code":")").append(code).append(R"(","message":)");
  append_json_string(text, as_utf8(message));
  return text += '}';
}

std::string error_message(std::string_view ref, RefusedMessage why) {
  return error_message(ref, info(why).name, info(why).message);
}

}  // namespace syncrelay
