#include "syncrelay/protocol/traceparent.h"

#include <doctest/doctest.h>

#include <string>

#include "syncrelay/protocol/command_decoder.h"

namespace syncrelay {
namespace {

const std::string kTrace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
const std::string kOther = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00";

std::string member(const std::string& text) {
  return R"("traceparent":")" + text + '"';
}

// What is left of a message without its traces.
std::string without(const std::string& message) {
  CommandDecoder decoder(1 << 20);
  const auto command = decoder.decode(message);
  REQUIRE(command.ok());
  CHECK(is_traced(*command.value()));
  std::string text = without_traceparents(message, *command.value());
  CHECK(text.size() == message.size());
  const auto again = decoder.decode(text);
  REQUIRE(again.ok());
  CHECK_FALSE(is_traced(*again.value()));
  std::erase(text, ' ');
  return text;
}

TEST_CASE("A traceparent has a form") {
  CHECK(is_traceparent(kTrace));
  CHECK(is_traceparent(kOther));
  CHECK_FALSE(is_traceparent(""));
  CHECK_FALSE(is_traceparent(kTrace + "-00"));
  CHECK_FALSE(is_traceparent(kTrace.substr(0, 54)));
  CHECK_FALSE(is_traceparent("01" + kTrace.substr(2)));
  CHECK_FALSE(is_traceparent("00-4BF92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"));
  CHECK_FALSE(is_traceparent("00-4bf92f3577b34da6a3ce929d0e0e4736_00f067aa0ba902b7-01"));
  CHECK_FALSE(is_traceparent("00-00000000000000000000000000000000-00f067aa0ba902b7-01"));
  CHECK_FALSE(is_traceparent("00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01"));
}

TEST_CASE("A command with another one is refused, where it stands") {
  CommandDecoder decoder(1 << 20);
  for (const std::string text :
       {"", "00", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7"}) {
    const std::string message = R"({"op":"broadcast","type":"t",)" + member(text) + '}';
    const auto command = decoder.decode(message);
    REQUIRE_FALSE(command.ok());
    CHECK(command.error().reason == RejectReason::invalid_traceparent);
    CHECK(command.error().offset == message.size() - text.size() - 3);
  }
  const std::string wrong = R"({"op":"set","key":"a","value":1,"traceparent":1})";
  CHECK(decoder.decode(wrong).error().reason == RejectReason::wrong_type);
  for (const std::string op : {R"("barrier")", R"("state")", R"("drop","channel":"a")"}) {
    const std::string message = R"({"op":)" + op + ',' + member(kTrace) + '}';
    CHECK(decoder.decode(message).error().reason == RejectReason::unknown_member);
  }
}

TEST_CASE("That of a batch counts for its commands that make events and have none") {
  CommandDecoder decoder(1 << 20);
  const std::string message = R"({"op":"batch","commands":[{"op":"set","key":"a","value":1},)"
                              R"({"op":"drop","channel":"b"},{"op":"broadcast","type":"t",)" +
                              member(kOther) + "}]," + member(kTrace) + '}';
  const auto batch = decoder.decode(message);
  REQUIRE(batch.ok());
  const auto& commands = batch.value()->commands;
  CHECK(commands[0].trace == '"' + kTrace + '"');
  CHECK(commands[1].trace.empty());
  CHECK(commands[2].trace == '"' + kOther + '"');
  const std::string plain = R"({"op":"set","key":"a","value":1})";
  CHECK_FALSE(is_traced(*decoder.decode(plain).value()));
}

TEST_CASE("Traces are blanked wherever they stand, and all else stays in its place") {
  const std::string trace = member(kTrace);
  CHECK(without(R"({"op":"set","key":"a","value":1,)" + trace + '}') ==
        R"({"op":"set","key":"a","value":1})");
  CHECK(without('{' + trace + R"( , "op":"set","key":"a","value":1})") ==
        R"({"op":"set","key":"a","value":1})");
  CHECK(without(R"({"op":"set" , )" + trace + R"(,"key":"traceparent:","value":1})") ==
        R"({"op":"set","key":"traceparent:","value":1})");
  CHECK(without(R"({"op":"set","key":"a","value":1 , "\u0074raceparent" : ")" + kTrace + "\" }") ==
        R"({"op":"set","key":"a","value":1})");
  CHECK(
      without(R"({"op":"batch",)" + trace + R"(,"commands":[{)" + member(kOther) +
              R"(,"op":"set","key":"a","value":1},{"op":"delete","key":"b"}]})") ==
      R"({"op":"batch","commands":[{"op":"set","key":"a","value":1},{"op":"delete","key":"b"}]})");
  CHECK(without(R"({"op":"will","id":"a","commands":[{"op":"delete","key":"b",)" + trace + "}]}") ==
        R"({"op":"will","id":"a","commands":[{"op":"delete","key":"b"}]})");
}

TEST_CASE("A message gets one at its end, and no longer than is said") {
  const std::string message = "{\"op\":\"delete\",\"key\":\"}\"} \n";
  const std::string traced = with_traceparent(message, kTrace);
  CHECK(traced == R"({"op":"delete","key":"}",)" + member(kTrace) + '}');
  CHECK(traced.size() <= message.size() + kTraceparentRoom);
  for (const Op op : {Op::set, Op::merge, Op::remove, Op::broadcast, Op::batch})
    CHECK(takes_traceparent(op));
  for (const Op op : {Op::drop, Op::will, Op::barrier, Op::state})
    CHECK_FALSE(takes_traceparent(op));
}

}  // namespace
}  // namespace syncrelay
