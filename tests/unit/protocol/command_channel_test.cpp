// What commands say of channels, versions and time.

#include <doctest/doctest.h>

#include "support/refusals.h"
#include "syncrelay/protocol/command_decoder.h"
#include "syncrelay/protocol/limits.h"

namespace syncrelay {
namespace {

using testing::check_refused;

constexpr std::size_t kNoLimit = 1 << 24;
const std::string kLongest(kMaxChannelBytes, 'n');

// A list of so many names.
std::string names(std::size_t count) {
  std::string list;
  for (std::size_t number = 0; number < count; ++number)
    list += (list.empty() ? "\"n" : ",\"n") + std::to_string(number) + '"';
  return '[' + list + ']';
}

TEST_CASE("Commands and queries have a channel, the default one when they name none") {
  CommandDecoder decoder(kNoLimit);
  for (const std::string rest :
       {R"("op":"set","key":"k","value":1)", R"("op":"merge","key":"k","value":1)",
        R"("op":"delete","key":"k")", R"("op":"broadcast","type":"t")", R"("op":"drop")",
        R"("op":"state")", R"("op":"clients")"}) {
    CAPTURE(rest);
    const std::string message = R"({"channel":"room:42",)" + rest + "}";
    const auto named = decoder.decode(message);
    REQUIRE(named.ok());
    CHECK(named.value()->channel_name() == "room:42");
    if (named.value()->op == Op::drop) continue;
    const auto bare = decoder.decode("{" + rest + "}");
    REQUIRE(bare.ok());
    CHECK_FALSE(bare.value()->channel);
    const auto empty = decoder.decode(R"({"channel":"",)" + rest + "}");
    REQUIRE(empty.ok());
    CHECK(empty.value()->channel == "");
  }
}

TEST_CASE("A channel may have any name of the alphabet, personal ones too, however it is spelled") {
  CommandDecoder decoder(kNoLimit);
  for (const std::string& name : {kLongest, std::string("@dev-1"), std::string("a/B_.:~-@9")}) {
    const auto command = decoder.decode(R"({"op":"drop","channel":")" + name + "\"}");
    REQUIRE(command.ok());
    CHECK(command.value()->channel == name);
  }
  CHECK(decoder.decode(R"({"op":"drop","channel":"\u0061\/b"})").value()->channel == "a/b");
}

TEST_CASE("What is no channel's name is refused where it stands") {
  for (const std::string& bad : {kLongest + "n", std::string("a b"), std::string("é"),
                                 std::string("*"), std::string("a\\u0000"), std::string("\\n")}) {
    for (const std::string rest :
         {R"("op":"set","key":"k","value":1)", R"("op":"state")", R"("op":"clients")"}) {
      check_refused(RejectReason::invalid_channel, "{" + rest + R"(,"channel":^")" + bad + "\"}");
    }
    check_refused(RejectReason::invalid_channel,
                  R"({"op":"broadcast","type":"t","channels":["a",^")" + bad + "\"]}");
    check_refused(RejectReason::invalid_channel, R"({"op":"channels","prefix":^")" + bad + "\"}");
    check_refused(RejectReason::invalid_channel, R"({"op":"channels","after":^")" + bad + "\"}");
  }
  for (const char* other : {"null", "1", "true", "{}"}) {
    check_refused(RejectReason::wrong_type,
                  R"({"op":"delete","key":"k","channel":^)" + std::string(other) + "}");
    check_refused(RejectReason::wrong_type,
                  R"({"op":"broadcast","type":"t","channels":["a",^)" + std::string(other) + "]}");
  }
}

TEST_CASE("Some ops know no channel") {
  for (const char* op : {"barrier", "stats", "backup", "channels"}) {
    check_refused(RejectReason::unknown_member,
                  R"({"op":")" + std::string(op) + R"(","channel":^"a"})");
  }
  check_refused(RejectReason::unknown_member,
                R"({"op":"batch","commands":[{"op":"drop","channel":"a"}],"channel":^"a"})");
}

TEST_CASE("A broadcast goes to a list of channels, under either name") {
  CommandDecoder decoder(kNoLimit);
  for (const char* member : {"channel", "channels"}) {
    const std::string message =
        R"({"op":"broadcast","type":"t",")" + std::string(member) + R"(":["b", "", "a"]})";
    const auto command = decoder.decode(message);
    REQUIRE(command.ok());
    CHECK_FALSE(command.value()->channel);
    CHECK(command.value()->channels == std::vector<std::string>{"b", "", "a"});
  }
  const auto most = decoder.decode(R"({"op":"broadcast","type":"t","channels":)" +
                                   names(kMaxChannelsOfBroadcast) + "}");
  REQUIRE(most.ok());
  CHECK(most.value()->channels.size() == kMaxChannelsOfBroadcast);
  CHECK(decoder.decode(R"({"op":"broadcast","type":"t"})").value()->channels.empty());
}

TEST_CASE("A list names 1 to 1000 channels, none of them twice, and belongs to a broadcast") {
  const std::string broadcast = R"({"op":"broadcast","type":"t",)";
  check_refused(RejectReason::invalid_channel, broadcast + R"("channels":^[]})");
  check_refused(RejectReason::invalid_channel, broadcast + R"("channel":^[]})");
  std::string many = names(kMaxChannelsOfBroadcast + 1);
  many.insert(many.rfind(',') + 1, "^");
  check_refused(RejectReason::invalid_channel, broadcast + R"("channels":)" + many + "}");
  check_refused(RejectReason::duplicate_member, broadcast + R"("channels":^["a","b","\u0061"]})");
  check_refused(RejectReason::duplicate_member, broadcast + R"("channel":^["",""]})");
  check_refused(RejectReason::duplicate_member, broadcast + R"("channel":"a","channels":^["b"]})");
  check_refused(RejectReason::duplicate_member,
                broadcast + R"("channels":^["b"],"channel":["a"]})");
  check_refused(RejectReason::wrong_type, broadcast + R"("channels":^"a"})");
  check_refused(RejectReason::wrong_type, R"({"op":"delete","key":"k","channel":^["a"]})");
  check_refused(RejectReason::wrong_type, R"({"op":"state","channel":^["a"]})");
  check_refused(RejectReason::unknown_member, R"({"op":"delete","key":"k","channels":^["a"]})");
}

TEST_CASE("The default channel cannot be dropped") {
  check_refused(RejectReason::invalid_channel, R"({"op":"drop","channel":^""})");
  check_refused(RejectReason::missing_member, R"(^{"op":"drop"})");
  check_refused(RejectReason::unknown_member, R"({"op":"drop","channel":"a","notify":^false})");
  CommandDecoder decoder(kNoLimit);
  CHECK(decoder.decode(R"({"op":"drop","channel":"a","id":"7"})").value()->id == "7");
}

TEST_CASE("Changes and broadcasts may depend on versions of any keys") {
  CommandDecoder decoder(kNoLimit);
  for (const std::string rest :
       {R"("op":"set","key":"k","value":1)", R"("op":"merge","key":"k","value":1)",
        R"("op":"delete","key":"k")", R"("op":"broadcast","type":"t")"}) {
    const auto command =
        decoder.decode(R"({"if":{"radio":17, "l\u006fck":0,"max":9007199254740991},)" + rest + "}");
    REQUIRE(command.ok());
    const auto& expected = command.value()->expected;
    REQUIRE(expected.size() == 3);
    CHECK(expected[0].key == "radio");
    CHECK(expected[0].version == 17);
    CHECK(expected[1].key == "lock");
    CHECK(expected[1].version == 0);
    CHECK(expected[2].version == kMaxVersion);
    CHECK(decoder.decode(R"({"if":{},)" + rest + "}").value()->expected.empty());
  }
}

TEST_CASE("A version is a whole number, and each key has one") {
  const std::string head = R"({"op":"delete","key":"k","if":)";
  for (const char* bad : {"-1", "1.0", "1e2", "-0", "9007199254740992", "1e400", "null", "true",
                          "\"1\"", "[1]", "{}", "99999999999999999999999999"}) {
    check_refused(RejectReason::invalid_version, head + R"({"a":1,"b":^)" + bad + "}}");
  }
  check_refused(RejectReason::duplicate_member, head + R"(^{"a":1,"\u0061":1}})");
  check_refused(RejectReason::invalid_key, head + R"({""^:1}})");
  check_refused(RejectReason::wrong_type, head + "^[]}");
  check_refused(RejectReason::unknown_member, R"({"op":"drop","channel":"a","if":^{}})");
  check_refused(RejectReason::unknown_member, R"({"op":"barrier","if":^{}})");
}

TEST_CASE("What is stored may be so for a time") {
  CommandDecoder decoder(kNoLimit);
  for (const std::string rest :
       {R"("op":"set","key":"k","value":1)", R"("op":"merge","key":"k","value":1)",
        R"("op":"broadcast","type":"t","set":{"k":1})"}) {
    CHECK(decoder.decode(R"({"ttl":5,)" + rest + "}").value()->ttl == std::chrono::seconds(5));
    CHECK(decoder.decode(R"({"ttl":0.25,)" + rest + "}").value()->ttl ==
          std::chrono::milliseconds(250));
    CHECK_FALSE(decoder.decode("{" + rest + "}").value()->ttl);
    for (const char* bad : {"0", "-1", "31536001", "1e400"})
      check_refused(RejectReason::invalid_ttl, "{" + rest + R"(,"ttl":^)" + bad + "}");
    for (const char* other : {"null", "\"5\"", "[]", "true"})
      check_refused(RejectReason::wrong_type, "{" + rest + R"(,"ttl":^)" + other + "}");
    check_refused(RejectReason::not_a_number, "{" + rest + R"(,"ttl":^NaN})");
  }
  check_refused(RejectReason::unknown_member, R"({"op":"broadcast","type":"t","ttl":^5})");
  check_refused(RejectReason::unknown_member, R"({"op":"delete","key":"k","ttl":^5})");
}

TEST_CASE("The channels query has a prefix, a name to go on behind, and a limit") {
  CommandDecoder decoder(kNoLimit);
  const auto all = decoder.decode(R"({"op":"channels"})");
  REQUIRE(all.ok());
  CHECK(all.value()->prefix.empty());
  CHECK(all.value()->after.empty());
  CHECK(all.value()->limit == 100);
  const auto some =
      decoder.decode(R"({"op":"channels","prefix":"room:","after":"room:7","limit":1000})");
  REQUIRE(some.ok());
  CHECK(some.value()->prefix == "room:");
  CHECK(some.value()->after == "room:7");
  CHECK(some.value()->limit == 1000);
  for (const char* bad : {"0", "1001", "-1", "1.0", "1e2", "1e400"})
    check_refused(RejectReason::invalid_limit,
                  R"({"op":"channels","limit":^)" + std::string(bad) + "}");
  check_refused(RejectReason::wrong_type, R"({"op":"channels","limit":^"1"})");
  check_refused(RejectReason::unknown_member, R"({"op":"state","limit":^1})");
}

TEST_CASE("A decoder forgets channels, versions and time before it takes the next command") {
  CommandDecoder decoder(kNoLimit);
  REQUIRE(decoder.decode(R"({"op":"set","key":"k","value":1,"channel":"a","if":{"b":1},"ttl":5})")
              .ok());
  const auto plain = decoder.decode(R"({"op":"set","key":"k","value":1})");
  REQUIRE(plain.ok());
  CHECK_FALSE(plain.value()->channel);
  CHECK(plain.value()->expected.empty());
  CHECK_FALSE(plain.value()->ttl);
  REQUIRE(decoder.decode(R"({"op":"channels","prefix":"a","after":"b","limit":7})").ok());
  const auto all = decoder.decode(R"({"op":"channels"})");
  CHECK(all.value()->prefix.empty());
  CHECK(all.value()->after.empty());
  CHECK(all.value()->limit == 100);
  REQUIRE(decoder.decode(R"({"op":"broadcast","type":"t","channels":["a"],"set":{"k":1}})").ok());
  const auto again = decoder.decode(R"({"op":"delete","key":"k"})");
  CHECK(again.value()->channels.empty());
  CHECK(again.value()->set_object.empty());
  CHECK(again.value()->type.empty());
}

}  // namespace
}  // namespace syncrelay
