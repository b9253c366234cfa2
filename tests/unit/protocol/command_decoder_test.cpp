#include "syncrelay/protocol/command_decoder.h"

#include <doctest/doctest.h>

#include "syncrelay/protocol/limits.h"

namespace syncrelay {
namespace {

constexpr std::size_t kNoLimit = 1 << 24;

std::string repeated(std::string_view text, std::size_t count) {
  std::string out;
  for (; count > 0; --count) out += text;
  return out;
}

// The value that `set` keeps of this JSON text.
std::string value_kept(const std::string& json) {
  CommandDecoder decoder(kNoLimit);
  const std::string message = R"({"op":"set","key":"k","value":)" + json + "}";
  const auto command = decoder.decode(message);
  return command ? std::string(command.value()->value) : "rejected: " + command.error().detail;
}

TEST_CASE("A set has key, value and notify") {
  CommandDecoder decoder(kNoLimit);
  const std::string message = R"({"op":"set","key":"radio","value":{"track":7},"notify":false})";
  const auto command = decoder.decode(message);
  REQUIRE(command.ok());
  CHECK(command.value()->op == Op::set);
  CHECK(command.value()->key == "radio");
  CHECK(command.value()->value == R"({"track":7})");
  CHECK_FALSE(command.value()->notify);
}

TEST_CASE("A delete has a key and no value") {
  CommandDecoder decoder(kNoLimit);
  const auto command = decoder.decode(R"({"op":"delete","key":"radio"})");
  REQUIRE(command.ok());
  CHECK(command.value()->op == Op::remove);
  CHECK(command.value()->value.empty());
  CHECK(command.value()->notify);
}

TEST_CASE("A broadcast keeps type, data and set as they were written") {
  CommandDecoder decoder(kNoLimit);
  const std::string message =
      R"( { "set" : { "a" : 1.0 , "b\u0041" : { "x" : [ ] } } , "data" : [ 1 ] , "type" : "r\u0061dio" , "op" : "broadcast" } )";
  const auto command = decoder.decode(message);
  REQUIRE(command.ok());
  CHECK(command.value()->op == Op::broadcast);
  CHECK(command.value()->type == R"("r\u0061dio")");
  CHECK(command.value()->data == "[ 1 ]");
  CHECK(command.value()->set_object == R"({ "a" : 1.0 , "b\u0041" : { "x" : [ ] } })");
  REQUIRE(command.value()->set.size() == 2);
  CHECK(command.value()->set[0].key == "a");
  CHECK(command.value()->set[0].value == "1.0");
  CHECK(command.value()->set[1].key == "bA");
  CHECK(command.value()->set[1].value == R"({ "x" : [ ] })");
}

TEST_CASE("A broadcast without data has null, without set nothing") {
  CommandDecoder decoder(kNoLimit);
  const auto command = decoder.decode(R"({"op":"broadcast","type":"t"})");
  REQUIRE(command.ok());
  CHECK(command.value()->data == "null");
  CHECK(command.value()->set_object.empty());
  CHECK(command.value()->set.empty());
}

TEST_CASE("An empty set is allowed") {
  CommandDecoder decoder(kNoLimit);
  const auto command = decoder.decode(R"({"op":"broadcast","type":"t","set":{}})");
  REQUIRE(command.ok());
  CHECK(command.value()->set.empty());
  CHECK(command.value()->set_object == "{}");
}

TEST_CASE("Values are kept byte for byte") {
  for (const char* json : {"0",
                           "-0",
                           "1.50",
                           "1e5",
                           "1E+05",
                           "-12.5e-3",
                           "123456789012345678901234567890.12345678901234567890",
                           "true",
                           "false",
                           "null",
                           R"("")",
                           R"("\u00e9\/\b\f\n\r\t\"\\é🎵\ud83c\udfb5")",
                           "[]",
                           "{}",
                           "[ 1 ,\t2 ]",
                           "{ }",
                           "{\"b\":1,\"a\":2,\"b\":3}",
                           "[[[]],{\"a\":[{}]}]",
                           "\"\x7f\"",
                           R"("\u0000")",
                           R"({"op":"set","set":{"a":1}})"}) {
    CHECK(value_kept(json) == json);
  }
  CHECK(value_kept(" \n [1] \t ") == "[1]");
}

// Whether a number comes through as it was written; its first digits stand for it in the output.
void check_number(const std::string& json) {
  CAPTURE(json.substr(0, 20));
  CAPTURE(json.size());
  const bool kept = value_kept(json) == json;
  CHECK(kept);
}

TEST_CASE("Numbers with more digits than a double holds pass") {
  check_number("1." + repeated("0", 400));
  check_number("0." + repeated("1", 100'000));
  check_number("-1e-999999");
  check_number(repeated("7", 300) + "." + repeated("7", 300));
}

TEST_CASE("Numbers beyond the range of a double pass, since nobody has to compute with them") {
  check_number("1" + repeated("0", 400));
  check_number("1e400");
  check_number("-1E+99999999999");
  check_number(repeated("9", 100'000));
}

TEST_CASE("A long string passes") {
  const std::string json = '"' + repeated("ab\\u00e9", 100'000) + '"';
  CHECK(value_kept(json) == json);
}

TEST_CASE("512 levels are allowed, the command being the first, and 513 are not") {
  const auto nested = [](std::size_t levels, const char* open, const char* close) {
    return repeated(open, levels) + "1" + repeated(close, levels);
  };
  for (const auto& [open, close] : {std::pair("[", "]"), std::pair("{\"a\":", "}")}) {
    const std::string deepest = nested(kMaxNesting - 1, open, close);
    CHECK(value_kept(deepest) == deepest);
    CommandDecoder decoder(kNoLimit);
    const std::string message =
        R"({"op":"set","key":"k","value":)" + nested(kMaxNesting, open, close) + "}";
    const auto command = decoder.decode(message);
    REQUIRE_FALSE(command.ok());
    CHECK(command.error().reason == RejectReason::too_deep);
  }
}

TEST_CASE("Nesting beyond any stack is refused, not followed") {
  CommandDecoder decoder(kNoLimit);
  const auto command =
      decoder.decode(R"({"op":"set","key":"k","value":)" + repeated("[", 5'000'000));
  REQUIRE_FALSE(command.ok());
  CHECK(command.error().reason == RejectReason::too_deep);
}

TEST_CASE("Values in set may be as deep as the command allows") {
  CommandDecoder decoder(kNoLimit);
  const std::string value = repeated("[", kMaxNesting - 2) + repeated("]", kMaxNesting - 2);
  const std::string message = R"({"op":"broadcast","type":"t","set":{"k":)" + value + "}}";
  const auto command = decoder.decode(message);
  REQUIRE(command.ok());
  CHECK(command.value()->set.front().value == value);
}

TEST_CASE("Names may be 256 bytes long, counted unescaped") {
  const std::string longest = repeated("é", kMaxNameBytes / 2);
  const std::string escaped = repeated("\\u00e9", kMaxNameBytes / 2);
  for (const std::string& name : {longest, escaped}) {
    CommandDecoder decoder(kNoLimit);
    CHECK(decoder.decode(R"({"op":"delete","key":")" + name + "\"}").ok());
    CHECK(decoder.decode(R"({"op":"broadcast","type":")" + name + "\"}").ok());
    CHECK(decoder.decode(R"({"op":"broadcast","type":"t","set":{")" + name + "\":1}}").ok());
    CHECK_FALSE(decoder.decode(R"({"op":"delete","key":")" + name + "x\"}").ok());
    CHECK_FALSE(decoder.decode(R"({"op":"broadcast","type":")" + name + "x\"}").ok());
    CHECK_FALSE(decoder.decode(R"({"op":"broadcast","type":"t","set":{")" + name + "x\":1}}").ok());
  }
}

TEST_CASE("A key may hold a NUL and anything else that JSON can escape") {
  CommandDecoder decoder(kNoLimit);
  const auto command = decoder.decode(R"({"op":"delete","key":"a\u0000\n\ud83c\udfb5"})");
  REQUIRE(command.ok());
  CHECK(command.value()->key == std::string("a\0\n🎵", 7));
}

TEST_CASE("A command of exactly the greatest size is taken, one more byte is not") {
  const std::string message = R"({"op":"delete","key":"radio"})";
  CHECK(CommandDecoder(message.size()).decode(message).ok());
  const auto refused = CommandDecoder(message.size() - 1).decode(message);
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().reason == RejectReason::too_large);
  CHECK(refused.error().offset == message.size() - 1);
}

TEST_CASE("A decoder forgets one command before it takes the next") {
  CommandDecoder decoder(kNoLimit);
  REQUIRE(decoder.decode(R"({"op":"broadcast","type":"t","data":1,"set":{"a":1},"notify":false})")
              .ok());
  REQUIRE_FALSE(decoder.decode(R"({"op":"broadcast","type":"t","data":1,"set":{"a":)").ok());
  const auto broadcast = decoder.decode(R"({"op":"broadcast","type":"u"})");
  REQUIRE(broadcast.ok());
  CHECK(broadcast.value()->data == "null");
  CHECK(broadcast.value()->set.empty());
  CHECK(broadcast.value()->set_object.empty());
  CHECK(broadcast.value()->notify);
  CHECK_FALSE(decoder.decode(R"({"key":"k"})").ok());
  REQUIRE(decoder.decode(R"({"op":"set","key":"a","value":[[1]]})").ok());
  REQUIRE(decoder.decode(R"({"op":"set","value":7,"key":"b"})").value()->value == "7");
}

}  // namespace
}  // namespace syncrelay
