// What commands say of members and their wills.

#include <doctest/doctest.h>

#include "support/refusals.h"
#include "syncrelay/protocol/channel_name.h"
#include "syncrelay/protocol/command_decoder.h"
#include "syncrelay/protocol/limits.h"

namespace syncrelay {
namespace {

using testing::check_refused;

std::string will_of(std::size_t commands) {
  std::string text = R"({"op":"will","id":"dev-1","commands":[)";
  for (std::size_t count = 0; count < commands; ++count)
    text += count == 0 ? R"({"op":"delete","key":"k"})" : R"(,{"op":"delete","key":"k"})";
  return text + "]}";
}

TEST_CASE("A will names its member and has its commands, checked and as they came") {
  CommandDecoder decoder(1 << 20);
  const std::string message =
      R"({"commands":[ {"op":"set","key":"k","value":1} , {"op":"drop","channel":"a"}],)"
      R"("channel":"room","id":"dev\u002d1","op":"will"})";
  const auto decoded = decoder.decode(message);
  REQUIRE(decoded.ok());
  const Command& command = *decoded.value();
  CHECK(command.op == Op::will);
  CHECK(command.member == "dev-1");
  CHECK(command.id.empty());
  CHECK(command.channel_name() == "room");
  CHECK(command.commands.size() == 2);
  CHECK(command.commands_array ==
        R"([ {"op":"set","key":"k","value":1} , {"op":"drop","channel":"a"}])");
  REQUIRE(decoder.decode(R"({"op":"will","id":"dev-1","commands":[]})").ok());
  const auto after = decoder.decode(R"({"op":"barrier","id":"7"})");
  CHECK(after.value()->member.empty());
  CHECK(after.value()->commands_array.empty());
}

TEST_CASE("A will has at most 16 commands, each of which could be in a batch") {
  CommandDecoder decoder(1 << 20);
  CHECK(decoder.decode(will_of(kMaxWillCommands)).ok());
  const auto refused = decoder.decode(will_of(kMaxWillCommands + 1));
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().reason == RejectReason::invalid_batch);
  check_refused(RejectReason::invalid_batch,
                R"({"op":"will","id":"a","commands":[{"op":^"barrier"}]})", 0);
  check_refused(RejectReason::invalid_batch,
                R"({"op":"will","id":"a","commands":[{"op":^"will","id":"a","commands":[]}]})", 0);
  check_refused(RejectReason::missing_member,
                R"({"op":"will","id":"a","commands":[^{"op":"delete"}]})", 0);
}

TEST_CASE("A will of nobody, or without commands, is refused") {
  check_refused(RejectReason::missing_member, R"(^{"op":"will","commands":[]})");
  check_refused(RejectReason::missing_member, R"(^{"op":"will","id":"a"})");
  check_refused(RejectReason::unknown_member,
                R"({"op":"will","id":"a","commands":[],"notify":^true})");
  check_refused(RejectReason::invalid_id, R"({"op":"will","id":^"","commands":[]})");
  check_refused(RejectReason::invalid_id, R"({"op":"will","id":^"@a","commands":[]})");
  check_refused(RejectReason::invalid_id, R"({"op":"will","id":^"a b","commands":[]})");
  check_refused(
      RejectReason::invalid_id,
      R"({"op":"will","id":^")" + std::string(kMaxIdentityBytes + 1, 'a') + R"(","commands":[]})");
}

TEST_CASE("A query for members has a channel and nothing else") {
  CommandDecoder decoder(1 << 20);
  CHECK(decoder.decode(R"({"op":"members","channel":"room"})").value()->channel_name() == "room");
  CHECK(decoder.decode(R"({"op":"members"})").ok());
  check_refused(RejectReason::unknown_member, R"({"op":"members","key":^"k"})");
  check_refused(RejectReason::invalid_channel, R"({"op":"members","channel":^"a b"})");
}

TEST_CASE(
    "Patterns mean names, beginnings of names and the default channel, never a personal one") {
  const ChannelPatterns some({"room:*", "lobby", ""});
  for (const char* name : {"room:1", "room:", "lobby", ""}) CHECK(some.match(name));
  for (const char* name : {"room", "lobby2", "other", "@dev-1"}) CHECK_FALSE(some.match(name));
  CHECK(ChannelPatterns({"*"}).match(""));
  CHECK(ChannelPatterns({"*"}).match("any"));
  for (const char* pattern : {"*", "@*", "@dev-1"})
    CHECK_FALSE(ChannelPatterns({pattern}).match("@dev-1"));
  CHECK_FALSE(ChannelPatterns({"room"}).match(""));
  CHECK_FALSE(ChannelPatterns().match(""));
}

TEST_CASE("An identity is 1 to 64 bytes of the alphabet of channels, without @") {
  CHECK(is_identity(std::string(kMaxIdentityBytes, 'a')));
  CHECK(is_identity("a/B_.:~-9"));
  for (const std::string& bad :
       {std::string(), std::string("@a"), std::string("a@b"), std::string("a b"), std::string("é"),
        std::string(kMaxIdentityBytes + 1, 'a')})
    CHECK_FALSE(is_identity(bad));
}

}  // namespace
}  // namespace syncrelay
