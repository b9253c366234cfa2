#include <doctest/doctest.h>

#include "support/refusals.h"
#include "syncrelay/protocol/command_decoder.h"
#include "syncrelay/protocol/limits.h"

namespace syncrelay {
namespace {

using testing::check_refused;

constexpr std::size_t kNoLimit = 1 << 24;

std::string batch_of(std::size_t count) {
  std::string list;
  for (; count > 0; --count)
    list += std::string(list.empty() ? "" : ",") + R"({"op":"delete","key":"k"})";
  return R"({"op":"batch","commands":[)" + list + "]}";
}

TEST_CASE("A batch is its commands, each as if it stood alone") {
  CommandDecoder decoder(kNoLimit);
  const std::string message =
      R"({"id":"7","commands":[ {"op":"set","key":"radio","value":{"op" : 1.0},"channel":"a","notify":false},)"
      R"({"op":"merge","key":"m","value":[1],"ttl":2,"if":{"m":3}},{"key":"d","op":"delete"},)"
      R"({"op":"broadcast","type":"t","data":[{}],"set":{"x":1,"y":{"z":2}},"channels":["b",""]},)"
      R"({"op":"drop","channel":"c"}],"op":"batch"})";
  const auto batch = decoder.decode(message);
  REQUIRE(batch.ok());
  CHECK(batch.value()->op == Op::batch);
  CHECK(batch.value()->id == "7");
  const std::vector<Command>& commands = batch.value()->commands;
  REQUIRE(commands.size() == 5);
  CHECK(commands[0].op == Op::set);
  CHECK(commands[0].key == "radio");
  CHECK(commands[0].value == R"({"op" : 1.0})");
  CHECK(commands[0].channel == "a");
  CHECK_FALSE(commands[0].notify);
  CHECK(commands[0].offset == message.find(R"({"op":"set")"));
  CHECK(commands[1].op == Op::merge);
  CHECK(commands[1].value == "[1]");
  CHECK(commands[1].ttl == std::chrono::seconds(2));
  CHECK(commands[1].expected.front().version == 3);
  CHECK(commands[1].notify);
  CHECK_FALSE(commands[1].channel);
  CHECK(commands[2].op == Op::remove);
  CHECK(commands[2].key == "d");
  CHECK(commands[3].op == Op::broadcast);
  CHECK(commands[3].type == R"("t")");
  CHECK(commands[3].data == "[{}]");
  CHECK(commands[3].set_object == R"({"x":1,"y":{"z":2}})");
  REQUIRE(commands[3].set.size() == 2);
  CHECK(commands[3].set[1].value == R"({"z":2})");
  CHECK(commands[3].channels == std::vector<std::string>{"b", ""});
  CHECK(commands[4].op == Op::drop);
  CHECK(commands[4].channel == "c");
}

TEST_CASE("A batch has 1 to 1000 commands") {
  CommandDecoder decoder(kNoLimit);
  CHECK(decoder.decode(batch_of(1)).value()->commands.size() == 1);
  CHECK(decoder.decode(batch_of(kMaxBatchCommands)).value()->commands.size() == 1000);
  check_refused(RejectReason::invalid_batch, R"({"op":"batch","commands":^[]})");
  const std::string many = batch_of(kMaxBatchCommands + 1);
  const auto refused = decoder.decode(many);
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().reason == RejectReason::invalid_batch);
  CHECK(refused.error().offset == many.rfind('{'));
  CHECK(refused.error().index == 1000);
}

TEST_CASE("A batch that is none is refused as other commands are") {
  check_refused(RejectReason::missing_member, R"(^{"op":"batch"})");
  check_refused(RejectReason::missing_member, R"(^{"commands":[{"op":"delete","key":"k"}]})");
  check_refused(RejectReason::wrong_type, R"({"op":"batch","commands":^{}})");
  check_refused(RejectReason::wrong_type, R"({"op":"batch","commands":^null})");
  check_refused(RejectReason::unknown_member,
                R"({"op":"barrier","commands":^[{"op":"delete","key":"k"}]})");
  check_refused(RejectReason::unknown_member,
                R"({"op":"batch","commands":[{"op":"delete","key":"k"}],"notify":^true})");
  check_refused(RejectReason::invalid_id,
                R"({"op":"batch","commands":[{"op":"delete","key":"k"}],"id":^""})");
}

TEST_CASE("One that cannot be in a batch is told by its number") {
  const auto refuse_second = [](RejectReason reason, const std::string& second) {
    check_refused(reason,
                  R"({"op":"batch","commands":[{"op":"delete","key":"k"}, )" + second +
                      R"(,{"op":"nonsense"}]})",
                  1);
  };
  for (const char* op :
       {"batch", "will", "barrier", "state", "members", "clients", "channels", "stats", "backup"})
    refuse_second(RejectReason::invalid_batch, R"({"op":^")" + std::string(op) + "\"}");
  refuse_second(RejectReason::invalid_batch,
                R"({"op":^"batch","commands":[{"op":"delete","key":"k"}]})" + std::string());
  refuse_second(RejectReason::invalid_batch, R"({"op":"delete","key":"k","id":^"7"})");
  refuse_second(RejectReason::invalid_batch, R"({"op":"delete","id":^""})");
  refuse_second(RejectReason::unknown_op, R"({"op":^"put"})");
  refuse_second(RejectReason::missing_member, R"(^{"op":"delete"})");
  refuse_second(RejectReason::missing_member, "^{}");
  refuse_second(RejectReason::unknown_member, R"({"op":"delete","key":"k","value":^1})");
  refuse_second(RejectReason::unknown_member, R"({"op":"delete","kye"^:"k"})");
  refuse_second(RejectReason::duplicate_member, R"({"op":"delete","key":"k","key"^:"k"})");
  refuse_second(RejectReason::wrong_type, R"({"op":"delete","key":^1})");
  refuse_second(RejectReason::invalid_channel, R"({"op":"drop","channel":^""})");
  refuse_second(RejectReason::invalid_version, R"({"op":"delete","key":"k","if":{"k":^-1}})");
  refuse_second(RejectReason::reserved_type, R"({"op":"broadcast","type":^"ping"})");
  for (const char* other : {"null", "1", "\"delete\"", "[]", "[{}]"})
    refuse_second(RejectReason::not_an_object, "^" + std::string(other));
}

TEST_CASE("What is not JSON is refused with no number, wherever it stands") {
  check_refused(RejectReason::invalid_json, R"({"op":"batch","commands":[{"op":"delete",^}]})");
  check_refused(RejectReason::not_a_number,
                R"({"op":"batch","commands":[{"op":"set","key":"k","value":^NaN}]})");
  check_refused(RejectReason::trailing_bytes,
                R"({"op":"batch","commands":[{"op":"delete","key":"k"}]}^x)");
}

TEST_CASE("A number beyond a double in a batch hides nothing and doubles nothing") {
  CommandDecoder decoder(kNoLimit);
  const std::string message =
      R"({"op":"batch","commands":[{"op":"delete","key":"a"},{"op":"set","key":"k","value":1e400}]})";
  const auto batch = decoder.decode(message);
  REQUIRE(batch.ok());
  REQUIRE(batch.value()->commands.size() == 2);
  CHECK(batch.value()->commands[1].value == "1e400");
}

TEST_CASE("A decoder forgets a batch, whole or refused, before it takes the next command") {
  CommandDecoder decoder(kNoLimit);
  REQUIRE(decoder.decode(batch_of(3)).ok());
  CHECK(decoder.decode(R"({"op":"delete","key":"k"})").value()->commands.empty());
  REQUIRE_FALSE(
      decoder.decode(R"({"op":"batch","commands":[{"op":"delete","key":"k"},{"op")").ok());
  REQUIRE_FALSE(decoder.decode(R"({"op":"batch","commands":[{"op":"nonsense"}]})").ok());
  const auto refused = decoder.decode(R"({"op":"nonsense"})");
  CHECK(refused.error().offset == 6);
  CHECK_FALSE(refused.error().index);
  CHECK(decoder.decode(batch_of(2)).value()->commands.size() == 2);
}

TEST_CASE("Values in a batch may be as deep as the message allows") {
  CommandDecoder decoder(kNoLimit);
  const auto nested = [](std::size_t levels) {
    return R"({"op":"batch","commands":[{"op":"set","key":"k","value":)" +
           std::string(levels, '[') + std::string(levels, ']') + "}]}";
  };
  CHECK(decoder.decode(nested(kMaxNesting - 3)).ok());
  CHECK(decoder.decode(nested(kMaxNesting - 2)).error().reason == RejectReason::too_deep);
}

}  // namespace
}  // namespace syncrelay
