#include <doctest/doctest.h>

#include <optional>
#include <set>

#include "syncrelay/protocol/command_decoder.h"

namespace syncrelay {
namespace {

constexpr std::size_t kLimit = 1 << 20;

Rejection rejection_of(std::string_view message, std::size_t limit = kLimit) {
  CommandDecoder decoder(limit);
  const auto command = decoder.decode(message);
  REQUIRE_MESSAGE(!command.ok(), std::string(message));
  return command.error();
}

// `marked` is a command with a ^ where the fault is expected.
void check(RejectReason reason, std::string marked) {
  const std::size_t offset = marked.find('^');
  REQUIRE(offset != std::string::npos);
  marked.erase(offset, 1);
  const Rejection rejection = rejection_of(marked);
  CAPTURE(marked);
  CAPTURE(rejection.detail);
  CHECK(name(rejection.reason) == name(reason));
  CHECK(rejection.offset == offset);
  CHECK_FALSE(rejection.detail.empty());
}

TEST_CASE("What is not JSON is refused where it stops being JSON") {
  check(RejectReason::invalid_json, "^");
  check(RejectReason::invalid_json, "^hello");
  check(RejectReason::invalid_json, R"({"op":"delete",^op})");
  check(RejectReason::invalid_json, R"({"op":"delete" ^)"
                                    "\x01}");
  check(RejectReason::invalid_json, R"({"op":"set","key":"k","value":^})");
  check(RejectReason::invalid_json, R"({"op":"set","key":"k","value":[1,^]})");
  check(RejectReason::invalid_json, R"({"op":"delete","key":"k"^)");
}

TEST_CASE("A number beyond the range of a double hides no fault before or behind it") {
  check(RejectReason::invalid_json, R"({"op":"set","key":"k","value":[1e400,^]})");
  check(RejectReason::invalid_json, R"({"op":"set","key":"k","value":[^+1,1e400]})");
  check(RejectReason::trailing_bytes, R"({"op":"set","key":"k","value":1e400}^x)");
  check(RejectReason::not_a_number, R"({"op":"set","key":"k","value":[1e400,^NaN]})");
  check(RejectReason::wrong_type, R"({"op":"set","key":^1e400,"value":1})");
}

TEST_CASE("NaN and Infinity are refused by name") {
  check(RejectReason::not_a_number, R"({"op":"set","key":"k","value":^NaN})");
  check(RejectReason::not_a_number, R"({"op":"set","key":"k","value":[1,^Infinity]})");
  CHECK(rejection_of(R"({"op":"set","key":"k","value":-Infinity})").reason ==
        RejectReason::not_a_number);
  CHECK(rejection_of(R"({"op":"set","key":"k","value":{"a":-NaN}})").reason ==
        RejectReason::not_a_number);
}

TEST_CASE("What is not UTF-8 is refused") {
  for (const char* bad : {"\xff", "\xc3", "\xc3(", "\xe2\x82", "\xf0\x9f\x8e", "\xc0\x80",
                          "\xed\xa0\x80", "\xf4\x90\x80\x80", "\x80"}) {
    const std::string value = R"({"op":"set","key":"k","value":")" + std::string(bad) + "\"}";
    CHECK(name(rejection_of(value).reason) == "invalid_utf8");
    const std::string member = R"({"op":"set","key":"k","value":{")" + std::string(bad) + "\":1}}";
    CHECK(name(rejection_of(member).reason) == "invalid_utf8");
    const std::string key = R"({"op":"set","key":")" + std::string(bad) + "\",\"value\":1}";
    CHECK(name(rejection_of(key).reason) == "invalid_utf8");
  }
}

TEST_CASE("A raw control byte in a string is no matter of UTF-8") {
  for (const char* bad : {"\n", "\t", "\x01", "\x1f"}) {
    CHECK(name(rejection_of(R"({"op":"set","key":"k","value":")" + std::string(bad) + "\"}")
                   .reason) == "invalid_json");
  }
}

TEST_CASE("Half a surrogate pair is refused, in values, names and keys") {
  for (const char* bad : {R"(\ud83c)", R"(\ud83cx)", R"(\udfb5)", R"(x\udfb5)", R"(\ud83c\u0041)",
                          R"(\udfb5\ud83c)", R"(\uDC00)"}) {
    const std::string half(bad);
    CHECK(name(rejection_of(R"({"op":"set","key":"k","value":")" + half + "\"}").reason) ==
          "lone_surrogate");
    CHECK(name(rejection_of(R"({"op":"set","key":"k","value":[{")" + half + "\":1}]}").reason) ==
          "lone_surrogate");
    CHECK(name(rejection_of(R"({"op":"delete","key":")" + half + "\"}").reason) ==
          "lone_surrogate");
    CHECK(name(rejection_of(R"({"op":"broadcast","type":")" + half + "\"}").reason) ==
          "lone_surrogate");
    CHECK(name(rejection_of(R"({"op":"broadcast","type":"t","set":{")" + half + "\":1}}").reason) ==
          "lone_surrogate");
  }
}

TEST_CASE("Whatever follows the command is refused") {
  check(RejectReason::trailing_bytes, R"({"op":"delete","key":"k"}^x)");
  check(RejectReason::trailing_bytes, R"({"op":"delete","key":"k"} ^{"op":"delete","key":"k"})");
  const std::string message(R"({"op":"delete","key":"k"})"
                            "\0",
                            26);
  CHECK(rejection_of(message).reason == RejectReason::trailing_bytes);
  CHECK(rejection_of(message).offset == 25);
}

TEST_CASE("A NUL byte anywhere else is refused, too") {
  const std::string message = R"({"op":"set","key":"k","value":"v"})";
  for (std::size_t at = 0; at < message.size(); ++at) {
    std::string spoilt = message;
    spoilt[at] = '\0';
    CHECK_FALSE(CommandDecoder(kLimit).decode(spoilt).ok());
    CHECK_FALSE(CommandDecoder(kLimit).decode(std::string(message).insert(at, 1, '\0')).ok());
  }
}

TEST_CASE("A command cut short anywhere is refused") {
  const std::string message =
      R"({"op":"broadcast","type":"t","data":[1,{"a":"b"}],"set":{"k":1.5},"notify":true})";
  REQUIRE(CommandDecoder(kLimit).decode(message).ok());
  for (std::size_t size = 0; size < message.size(); ++size) {
    const Rejection rejection = rejection_of(message.substr(0, size));
    CHECK(name(rejection.reason) == "invalid_json");
    CHECK(rejection.offset <= size);
  }
}

TEST_CASE("Only an object is a command") {
  for (const char* message : {"^null", "^true", "^1", "^\"op\"", "^[]", "^[{}]"})
    check(RejectReason::not_an_object, message);
}

TEST_CASE("What an op needs must be there") {
  for (const char* message : {"^{}", R"(^{"key":"k","value":1})", R"(^{"op":"set","key":"k"})",
                              R"(^{"op":"set","value":1})", R"(^{"op":"merge","key":"k"})",
                              R"(^{"op":"delete"})", R"(^{"op":"broadcast","data":1})"}) {
    check(RejectReason::missing_member, message);
  }
}

TEST_CASE("What an op does not know is refused") {
  CHECK(rejection_of(R"({"op":"set","key":"k","value":1,"vaule":1})").reason ==
        RejectReason::unknown_member);
  check(RejectReason::unknown_member, R"({"op":"set","key":"k","value":1,"data":^2})");
  check(RejectReason::unknown_member, R"({"op":"set","key":"k","value":1,"set":^{}})");
  check(RejectReason::unknown_member, R"({"op":"delete","key":"k","value":^1})");
  check(RejectReason::unknown_member, R"({"op":"broadcast","type":"t","key":^"k"})");
  check(RejectReason::unknown_member, R"({"op":"broadcast","type":"t","value":^1})");
  check(RejectReason::unknown_member, R"({"op":"barrier","key":^"k"})");
  check(RejectReason::unknown_member, R"({"op":"barrier","notify":^false})");
}

TEST_CASE("A member may stand only once, however it is spelled") {
  CHECK(rejection_of(R"({"op":"delete","key":"k","key":"k"})").reason ==
        RejectReason::duplicate_member);
  CHECK(rejection_of(R"({"op":"delete","key":"k","\u006bey":"k"})").reason ==
        RejectReason::duplicate_member);
  check(RejectReason::duplicate_member,
        R"({"op":"broadcast","type":"t","set":^{"a":1,"b":2,"\u0061":3}})");
}

TEST_CASE("Each member has its type") {
  for (const char* other : {"null", "1", "[]", "{}", "true"}) {
    check(RejectReason::wrong_type, R"({"op":^)" + std::string(other) + "}");
    check(RejectReason::wrong_type, R"({"op":"delete","key":^)" + std::string(other) + "}");
    check(RejectReason::wrong_type, R"({"op":"broadcast","type":^)" + std::string(other) + "}");
  }
  for (const char* other : {"null", "1", "[]", "{}", "\"true\""}) {
    check(RejectReason::wrong_type,
          R"({"op":"delete","key":"k","notify":^)" + std::string(other) + "}");
  }
  for (const char* other : {"null", "1", "[]", "false", "\"true\""}) {
    check(RejectReason::wrong_type,
          R"({"op":"broadcast","type":"t","set":^)" + std::string(other) + "}");
  }
}

TEST_CASE("Only the ops of the contract are known") {
  for (const char* op : {"", "Barrier", "Set", "set ", "remove", "ping", "sets"}) {
    check(RejectReason::unknown_op, R"({"op":^")" + std::string(op) + "\"}");
  }
}

TEST_CASE("Names that are empty or too long are refused") {
  const std::string too_long(257, 'n');
  for (const std::string& bad : {std::string(), too_long}) {
    check(RejectReason::invalid_key, R"({"op":"set","value":1,"key":^")" + bad + "\"}");
    check(RejectReason::invalid_type, R"({"op":"broadcast","type":^")" + bad + "\"}");
    CHECK(rejection_of(R"({"op":"broadcast","type":"t","set":{")" + bad + "\":1}}").reason ==
          RejectReason::invalid_key);
  }
}

TEST_CASE("The relay's own types are refused, however they are spelled") {
  for (const char* type :
       {"ping", "sync:", "sync:full", "sync:x", R"(s\u0079nc:set)", R"(\u0070ing)"}) {
    check(RejectReason::reserved_type,
          R"({"op":"broadcast","type":^")" + std::string(type) + "\"}");
  }
}

TEST_CASE("What is shown of a hostile name is short and escaped") {
  const Rejection rejection = rejection_of("{\"" + std::string(10'000, 'x') + "\":1}");
  CHECK(rejection.detail.size() < 200);
  CHECK(rejection_of(R"({"a\nb":1})").detail.find('\n') == std::string::npos);
}

}  // namespace
}  // namespace syncrelay
