#include "syncrelay/protocol/server_message.h"

#include <doctest/doctest.h>

namespace syncrelay {
namespace {

constexpr WallTime kTime{1'763'838'000'123'456};
const std::string kEnd = R"(,"ts":1763838000.123456,"seq":7})";

std::string event_of(const Command& command, bool back_to_null = false) {
  EventEncoder encoder;
  std::string text;
  for (const std::string_view piece : encoder.encode(command, back_to_null, kTime, Seq{7}))
    text += piece;
  return text;
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

TEST_CASE("An encoder that is used again says nothing of what it said before") {
  EventEncoder encoder;
  const Command first = change(Op::set, std::string(100, 'k'), "1");
  const Command second = change(Op::remove, "x");
  encoder.encode(first, false, kTime, Seq{6});
  std::string text;
  for (const std::string_view piece : encoder.encode(second, false, kTime, Seq{7})) text += piece;
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
  for (const Op op : {Op::barrier, Op::state, Op::clients, Op::stats, Op::backup})
    CHECK_FALSE(makes_event(change(op, "k")));
}

TEST_CASE("A first message ends with where the client stands") {
  const PositionText position{kTime, Seq{41}, "e0"};
  const std::string stands = R"(,"ts":1763838000.123456,"seq":41,"epoch":"e0")";
  CHECK(snapshot_end(position, 0) == stands + "}");
  CHECK(snapshot_end(position, 12) == stands + R"(,"skipped":12})");
  CHECK(resume_message(position, Seq{57}) ==
        R"({"type":"sync:resume","data":{"from":42,"to":57})" + stands + "}");
}

}  // namespace
}  // namespace syncrelay
