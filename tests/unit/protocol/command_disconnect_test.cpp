// Commands and queries about identities.

#include <doctest/doctest.h>

#include <string>

#include "support/refusals.h"
#include "syncrelay/protocol/command_decoder.h"

namespace syncrelay {
namespace {

using testing::check_refused;

TEST_CASE("An event may say from whom it is") {
  CommandDecoder decoder(1 << 20);
  const auto command = decoder.decode(R"({"from":"a\/b","op":"broadcast","type":"t"})");
  REQUIRE(command.ok());
  CHECK(command.value()->from == "a/b");
  const auto next = decoder.decode(R"({"op":"broadcast","type":"t"})");
  REQUIRE(next.ok());
  CHECK(next.value()->from.empty());
  const auto batch = decoder.decode(
      R"({"op":"batch","commands":[{"op":"broadcast","type":"t","from":"a"},{"op":"broadcast","type":"t"}]})");
  REQUIRE(batch.ok());
  CHECK(batch.value()->commands[0].from == "a");
  CHECK(batch.value()->commands[1].from.empty());
}

TEST_CASE("Nobody is no sender") {
  const auto id = RejectReason::invalid_id;
  check_refused(id, R"({"op":"broadcast","type":"t","from":^""})");
  check_refused(id, R"({"op":"broadcast","type":"t","from":^"@a"})");
  check_refused(id, R"({"op":"broadcast","type":"t","from":^"a b"})");
  check_refused(id, R"({"op":"broadcast","type":"t","from":^")" + std::string(65, 'i') + "\"}");
  check_refused(RejectReason::wrong_type, R"({"op":"broadcast","type":"t","from":^7})");
  check_refused(RejectReason::unknown_member, R"({"op":"set","key":"k","value":1,"from":^"a"})");
}

TEST_CASE("A backend disconnects an identity or a connection, with words of its own") {
  CommandDecoder decoder(1 << 20);
  const auto by_id = decoder.decode(R"({"op":"disconnect","id":"dev-1","code":4999,"reason":")" +
                                    std::string(123, 'r') + "\"}");
  REQUIRE(by_id.ok());
  CHECK(by_id.value()->id == "dev-1");
  CHECK_FALSE(by_id.value()->connection);
  CHECK(by_id.value()->code == 4999);
  CHECK(by_id.value()->reason == std::string(123, 'r'));
  const auto by_number = decoder.decode(R"({"op":"disconnect","connection":17})");
  REQUIRE(by_number.ok());
  CHECK(by_number.value()->id.empty());
  CHECK(by_number.value()->connection == 17);
  CHECK(by_number.value()->code == 4000);
  CHECK(by_number.value()->reason == "disconnected");
}

TEST_CASE("Whoever is to be disconnected has to be clear, and so have the words") {
  check_refused(RejectReason::missing_member, R"(^{"op":"disconnect"})");
  check_refused(RejectReason::duplicate_member, R"(^{"op":"disconnect","id":"a","connection":1})");
  check_refused(RejectReason::invalid_id, R"({"op":"disconnect","id":^"@a"})");
  check_refused(RejectReason::wrong_type, R"({"op":"disconnect","connection":^1.5})");
  check_refused(RejectReason::wrong_type, R"({"op":"disconnect","connection":^-1})");
  check_refused(RejectReason::invalid_code, R"({"op":"disconnect","id":"a","code":^3999})");
  check_refused(RejectReason::invalid_code, R"({"op":"disconnect","id":"a","code":^5000})");
  check_refused(RejectReason::invalid_code, R"({"op":"disconnect","id":"a","code":^4e3})");
  check_refused(RejectReason::invalid_reason,
                R"({"op":"disconnect","id":"a","reason":^")" + std::string(124, 'r') + "\"}");
}

}  // namespace
}  // namespace syncrelay
