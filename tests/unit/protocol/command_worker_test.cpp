// What workers ask of the inbox.

#include <doctest/doctest.h>

#include <chrono>
#include <string>
#include <vector>

#include "syncrelay/protocol/command_decoder.h"

namespace syncrelay {
namespace {

using std::chrono::milliseconds;
using Numbers = std::vector<std::uint64_t>;

WorkerWish wish_of(CommandDecoder& decoder, const std::string& text) {
  const auto command = decoder.decode(text);
  REQUIRE_MESSAGE(command.ok(), text);
  return command.value()->worker;
}

std::string refusal_of(const std::string& text) {
  CommandDecoder decoder(1 << 20);
  const auto command = decoder.decode(text);
  REQUIRE_MESSAGE(!command.ok(), text);
  return std::string(name(command.error().reason)) + ' ' + std::to_string(command.error().offset);
}

TEST_CASE("What is left out of a receive is a hundred messages for 30 seconds, without a wait") {
  CommandDecoder decoder(1 << 20);
  const WorkerWish wish = wish_of(decoder, R"({"op":"receive"})");
  CHECK(wish.max == 100);
  CHECK(wish.wait == milliseconds(0));
  CHECK(wish.lease == milliseconds(30'000));
}

TEST_CASE("Times are seconds, to the millisecond") {
  CommandDecoder decoder(1 << 20);
  const WorkerWish wish =
      wish_of(decoder, R"({"op":"receive","max":1000,"wait":0.25,"lease":3.6e3})");
  CHECK(wish.max == 1000);
  CHECK(wish.wait == milliseconds(250));
  CHECK(wish.lease == milliseconds(3'600'000));
  CHECK(wish_of(decoder, R"({"op":"receive","wait":0.0,"lease":1})").wait == milliseconds(0));
  CHECK(wish_of(decoder, R"({"op":"receive","wait":60})").wait == milliseconds(60'000));
}

TEST_CASE("Numbers are ascending, each once, and the next command has none of them") {
  CommandDecoder decoder(1 << 20);
  CHECK(wish_of(decoder, R"({"op":"done","n":[3,1,9007199254740991,3]})").numbers ==
        Numbers{1, 3, 9007199254740991});
  CHECK(wish_of(decoder, R"({"op":"release","n":[2]})").numbers == Numbers{2});
  const WorkerWish wish = wish_of(decoder, R"({"lease":7,"op":"extend","n":[ 5 ]})");
  CHECK(wish.numbers == Numbers{5});
  CHECK(wish.lease == milliseconds(7000));
}

TEST_CASE("What is given back may be untried, and what the next command gives back is not") {
  CommandDecoder decoder(1 << 20);
  CHECK(decoder.decode(R"({"op":"release","untried":true,"n":[2]})").value()->untried);
  CHECK_FALSE(decoder.decode(R"({"op":"release","n":[2]})").value()->untried);
  CHECK_FALSE(decoder.decode(R"({"op":"release","n":[2],"untried":false})").value()->untried);
}

TEST_CASE("Numbers are 1 to 1,000 whole ones over 0") {
  CHECK(refusal_of(R"({"op":"done","n":[]})") == "invalid_number 17");
  CHECK(refusal_of(R"({"op":"done","n":[1,0]})") == "invalid_number 20");
  CHECK(refusal_of(R"({"op":"done","n":[1.0]})") == "invalid_number 18");
  CHECK(refusal_of(R"({"op":"done","n":[-1]})") == "invalid_number 18");
  CHECK(refusal_of(R"({"op":"done","n":["1"]})") == "invalid_number 18");
  CHECK(refusal_of(R"({"op":"done","n":[[1]]})") == "invalid_number 18");
  CHECK(refusal_of(R"({"op":"done","n":[9007199254740992]})") == "invalid_number 18");
  CHECK(refusal_of(R"({"op":"done","n":1})") == "wrong_type 17");
  std::string many = R"({"op":"done","n":[1)";
  for (int count = 1; count < 1000; ++count) many += ",1";
  CommandDecoder decoder(1 << 20);
  CHECK(decoder.decode(many + "]}").ok());
  CHECK_FALSE(decoder.decode(many + ",1]}").ok());
}

TEST_CASE("Each of them has its own members, and those have bounds") {
  CHECK(refusal_of(R"({"op":"done"})") == "missing_member 0");
  CHECK(refusal_of(R"({"op":"done","n":[1],"lease":3})") == "unknown_member 29");
  CHECK(refusal_of(R"({"op":"release","n":[1],"id":"a"})") == "unknown_member 29");
  CHECK(refusal_of(R"({"op":"release","n":[1],"untried":1})") == "wrong_type 34");
  CHECK(refusal_of(R"({"op":"done","n":[1],"untried":true})") == "unknown_member 31");
  CHECK(refusal_of(R"({"op":"receive","n":[1]})") == "unknown_member 20");
  CHECK(refusal_of(R"({"op":"receive","channel":"a"})") == "unknown_member 26");
  CHECK(refusal_of(R"({"op":"receive","max":0})") == "invalid_limit 22");
  CHECK(refusal_of(R"({"op":"receive","max":1001})") == "invalid_limit 22");
  CHECK(refusal_of(R"({"op":"receive","max":1.5})") == "invalid_limit 22");
  CHECK(refusal_of(R"({"op":"receive","wait":60.001})") == "invalid_time 23");
  CHECK(refusal_of(R"({"op":"receive","wait":-1})") == "invalid_time 23");
  CHECK(refusal_of(R"({"op":"receive","lease":0.999})") == "invalid_time 24");
  CHECK(refusal_of(R"({"op":"extend","n":[1],"lease":3601})") == "invalid_time 31");
  CHECK(refusal_of(R"({"op":"receive","lease":"30"})") == "wrong_type 24");
}

TEST_CASE("A receive is for messages, or for the kinds of events that it names") {
  CommandDecoder decoder(1 << 20);
  CHECK(wish_of(decoder, R"({"op":"receive"})").events == WorkerEvents().add(WorkerEvent::message));
  CHECK(wish_of(decoder, R"({"op":"receive","events":["left","joined"]})").events ==
        WorkerEvents().add(WorkerEvent::joined).add(WorkerEvent::left));
  CHECK(
      wish_of(decoder,
              R"({"op":"receive","events":["message","connected","disconnected","joined","left"]})")
          .events.bits() == 31);
  CHECK(wish_of(decoder, R"({"op":"receive","wait":1})").events ==
        WorkerEvents().add(WorkerEvent::message));
  CHECK(refusal_of(R"({"op":"receive","events":[]})") == "invalid_member 25");
  CHECK(refusal_of(R"({"op":"receive","events":["left","left"]})") == "invalid_member 33");
  CHECK(refusal_of(R"({"op":"receive","events":["changed"]})") == "invalid_member 26");
  CHECK(refusal_of(R"({"op":"receive","events":[1]})") == "invalid_member 26");
  CHECK(refusal_of(R"({"op":"receive","events":[["left"]]})") == "invalid_member 26");
  CHECK(refusal_of(R"({"op":"receive","events":"left"})") == "wrong_type 25");
  CHECK(refusal_of(R"({"op":"done","n":[1],"events":["left"]})") == "unknown_member 30");
}

TEST_CASE("None of them can be in a batch") {
  CHECK(refusal_of(R"({"op":"batch","commands":[{"op":"done","n":[1]}]})") == "invalid_batch 32");
}

}  // namespace
}  // namespace syncrelay
