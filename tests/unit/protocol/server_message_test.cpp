#include "syncrelay/protocol/server_message.h"

#include <doctest/doctest.h>

namespace syncrelay {
namespace {

constexpr WallTime kTime{1'763'838'000'123'456};
const std::string kEnd = R"(,"ts":1763838000.123456,"seq":7})";

std::string event_in(std::string_view channel, const Command& command, bool back_to_null = false) {
  EventEncoder encoder;
  std::string text;
  for (const std::string_view piece : encoder.encode(channel, command, back_to_null, kTime, Seq{7}))
    text += piece;
  return text;
}

std::string event_of(const Command& command, bool back_to_null = false) {
  return event_in("", command, back_to_null);
}

Command change(Op op, std::string key, std::string_view value = {}) {
  Command command;
  command.op = op;
  command.key = std::move(key);
  command.value = value;
  return command;
}

TEST_CASE("A change is told under a name of its own, its value as it came") {
  CHECK(event_of(change(Op::set, "a\"b", "[1e400, 2]")) ==
        R"({"type":"sync:set","data":{"a\"b":[1e400, 2]})" + kEnd);
  CHECK(event_of(change(Op::merge, "k", R"({ "x":null})")) ==
        R"({"type":"sync:merge","data":{"k":{ "x":null}})" + kEnd);
  CHECK(event_of(change(Op::remove, "k")) == R"({"type":"sync:delete","data":["k"])" + kEnd);
}

TEST_CASE("A deleted key that goes back to null is told as set to null") {
  CHECK(event_of(change(Op::remove, "radio"), true) ==
        R"({"type":"sync:set","data":{"radio":null})" + kEnd);
}

TEST_CASE("A broadcast carries what it changes, unless that is not to be told") {
  Command command;
  command.type = R"("e")";
  command.data = "null";
  CHECK(event_of(command) == R"({"type":"e","data":null)" + kEnd);
  command.set_object = R"({"k":1})";
  CHECK(event_of(command) == R"({"type":"e","data":null,"set":{"k":1})" + kEnd);
  command.notify = false;
  CHECK(event_of(command) == R"({"type":"e","data":null)" + kEnd);
}

TEST_CASE("An event of a named channel says so behind its type") {
  CHECK(event_in("room:42", change(Op::set, "k", "1")) ==
        R"({"type":"sync:set","channel":"room:42","data":{"k":1})" + kEnd);
  CHECK(event_in("a", change(Op::merge, "k", "{}")) ==
        R"({"type":"sync:merge","channel":"a","data":{"k":{}})" + kEnd);
  CHECK(event_in("a", change(Op::remove, "k")) ==
        R"({"type":"sync:delete","channel":"a","data":["k"])" + kEnd);
  CHECK(event_in("a", change(Op::remove, "k"), true) ==
        R"({"type":"sync:set","channel":"a","data":{"k":null})" + kEnd);
  Command broadcast;
  broadcast.type = R"("e")";
  broadcast.data = "7";
  broadcast.set_object = R"({"k":1})";
  CHECK(event_in("@dev-1", broadcast) ==
        R"({"type":"e","channel":"@dev-1","data":7,"set":{"k":1})" + kEnd);
}

TEST_CASE("An encoder that is used again says nothing of what it said before") {
  EventEncoder encoder;
  const Command first = change(Op::set, std::string(100, 'k'), "1");
  const Command second = change(Op::remove, "x");
  encoder.encode("a", first, false, kTime, Seq{6});
  std::string text;
  for (const std::string_view piece : encoder.encode({}, second, false, kTime, Seq{7}))
    text += piece;
  CHECK(text == R"({"type":"sync:delete","data":["x"])" + kEnd);
}

TEST_CASE(
    "Broadcasts make events always, changes unless they are to be silent, nothing else does") {
  for (const Op op : {Op::set, Op::merge, Op::remove, Op::broadcast}) {
    Command command = change(op, "k", "1");
    CHECK(makes_event(command));
    command.notify = false;
    CHECK(makes_event(command) == (op == Op::broadcast));
  }
  for (const Op op : {Op::drop, Op::batch, Op::barrier, Op::state, Op::clients, Op::channels,
                      Op::stats, Op::backup, Op::receive, Op::done, Op::extend, Op::release})
    CHECK_FALSE(makes_event(change(op, "k")));
}

TEST_CASE("A first message ends with where the client stands") {
  const PositionText position{kTime, Seq{41}, "e0"};
  const std::string stands = R"(,"ts":1763838000.123456,"seq":41,"epoch":"e0")";
  CHECK(snapshot_end(position, 0) == stands + "}");
  CHECK(snapshot_end(position, 12) == stands + R"(,"skipped":12})");
  CHECK(resume_message("", position, Seq{57}) ==
        R"({"type":"sync:resume","data":{"from":42,"to":57})" + stands + "}");
  CHECK(resume_message("a", position, Seq{41}) ==
        R"({"type":"sync:resume","channel":"a","data":{"from":42,"to":41})" + stands + "}");
}

TEST_CASE("A snapshot of a named channel says so behind its type") {
  CHECK(snapshot_head("") == kSnapshotHead);
  CHECK(snapshot_head("room:42") == R"({"type":"sync:full","channel":"room:42","data":{)");
}

TEST_CASE("A client hears that it follows a channel no more, and why, if it did not ask for it") {
  CHECK(unsubscribed_message("a", false, 0) == R"({"type":"sync:unsubscribed","channel":"a"})");
  CHECK(unsubscribed_message("", false, 0) == R"({"type":"sync:unsubscribed"})");
  CHECK(unsubscribed_message("a", true, 0) ==
        R"({"type":"sync:unsubscribed","channel":"a","reason":"dropped"})");
  CHECK(unsubscribed_message("a", true, 7) ==
        R"({"type":"sync:unsubscribed","channel":"a","reason":"dropped","skipped":7})");
}

// The channel that a refusal of this one shows, as JSON.
std::string shown(std::string_view channel) {
  const std::string message = refused_message(channel, RefusedSubscription::invalid_channel);
  const std::string begin = R"({"type":"sync:refused","channel":)";
  const std::string end =
      R"(,"code":"invalid_channel","message":"a channel's name is 1 to 128 bytes of A-Z a-z 0-9 _ . : ~ - @ /"})";
  REQUIRE(message.starts_with(begin));
  REQUIRE(message.ends_with(end));
  return message.substr(begin.size(), message.size() - begin.size() - end.size());
}

TEST_CASE("A refusal shows the channel as it was asked for, as far as a name can be") {
  CHECK(shown("a\"b\n") == R"("a\"b\u000a")");
  CHECK(shown(std::string(1000, 'n')) == '"' + std::string(128, 'n') + '"');
  CHECK(shown(std::string(127, 'n') + "éé") == '"' + std::string(127, 'n') + '"');
  CHECK(shown("a\xff") == "\"a\xEF\xBF\xBD\"");
  CHECK(
      refused_message("", RefusedSubscription::already_subscribed) ==
      R"({"type":"sync:refused","code":"already_subscribed","message":"this client follows the channel already"})");
}

}  // namespace
}  // namespace syncrelay
