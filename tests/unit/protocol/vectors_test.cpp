// The wire examples that Python and TypeScript read as well.

#include "support/vectors.h"

#include <doctest/doctest.h>

#include "support/test_relay.h"
#include "syncrelay/channel/merge_patch.h"
#include "syncrelay/protocol/command_decoder.h"

namespace syncrelay {
namespace {

using testing::load_vectors;
using testing::string_of;

std::string command_bytes(const rapidjson::Value& vector) {
  if (vector.HasMember("command")) return string_of(vector, "command");
  const std::string hex = string_of(vector, "command_hex");
  std::string bytes;
  for (std::size_t at = 0; at < hex.size(); at += 2) {
    bytes += static_cast<char>(std::stoi(hex.substr(at, 2), nullptr, 16));
  }
  return bytes;
}

// The text of a JSON string.
std::string unquoted(std::string_view json) {
  rapidjson::Document document;
  document.Parse(json.data(), json.size());
  return {document.GetString(), document.GetStringLength()};
}

void check_broadcast(const Command& command, const rapidjson::Value& vector) {
  CHECK(unquoted(command.type) == string_of(vector, "type"));
  CHECK(std::string(command.data) == string_of(vector, "data"));
  const std::size_t keys = vector.HasMember("set") ? vector["set"].MemberCount() : 0;
  REQUIRE(command.set.size() == keys);
  for (const KeyValue& entry : command.set) {
    CHECK(std::string(entry.value) == string_of(vector["set"], entry.key.c_str()));
  }
}

void check_channels(const Command& command, const rapidjson::Value& vector) {
  CHECK(command.channel.has_value() == vector.HasMember("channel"));
  CHECK(command.channel_name() == string_of(vector, "channel"));
  std::vector<std::string> channels;
  if (vector.HasMember("channels")) {
    for (const auto& channel : vector["channels"].GetArray())
      channels.push_back(channel.GetString());
  }
  CHECK(command.channels == channels);
}

void check_conditions(const Command& command, const rapidjson::Value& vector) {
  REQUIRE(command.expected.size() == (vector.HasMember("if") ? vector["if"].MemberCount() : 0));
  for (const Expected& expected : command.expected)
    CHECK(expected.version == vector["if"][expected.key.c_str()].GetUint64());
  REQUIRE(command.ttl.has_value() == vector.HasMember("ttl_ms"));
  if (command.ttl) CHECK(command.ttl->count() == vector["ttl_ms"].GetInt64());
}

void check_command(const Command& command, const rapidjson::Value& vector) {
  CHECK(name(command.op) == string_of(vector, "op"));
  CHECK(command.notify == vector["notify"].GetBool());
  CHECK(command.key == string_of(vector, "key"));
  CHECK(std::string(command.value) == string_of(vector, "value"));
  CHECK(command.prefix == string_of(vector, "prefix"));
  CHECK(command.after == string_of(vector, "after"));
  CHECK(command.limit == (vector.HasMember("limit") ? vector["limit"].GetUint64() : 0));
  check_channels(command, vector);
  check_conditions(command, vector);
  if (command.op == Op::broadcast) check_broadcast(command, vector);
  const std::size_t commands = vector.HasMember("commands") ? vector["commands"].Size() : 0;
  REQUIRE(command.commands.size() == commands);
  for (unsigned index = 0; index < commands; ++index)
    check_command(command.commands[index], vector["commands"][index]);
}

// Checks that each command of the file is taken as its vector says.
void check_accepted(const char* file, std::size_t least) {
  const auto document = load_vectors(file);
  REQUIRE(document.IsObject());
  CHECK(document["vectors"].Size() > least);
  CommandDecoder decoder(1 << 24);
  for (const auto& vector : document["vectors"].GetArray()) {
    CAPTURE(string_of(vector, "name"));
    const std::string message = command_bytes(vector);
    const auto command = decoder.decode(message);
    CHECK_MESSAGE(command.ok(), command.error().detail);
    if (command.ok()) check_command(*command.value(), vector);
  }
}

TEST_CASE("Every accepted command decodes to what its vector says") {
  check_accepted("commands_accepted", 50);
  check_accepted("channel_commands", 30);
}

// The text of the event but for ts and seq, in the words of the vector.
std::string event_begin(const rapidjson::Value& event) {
  std::string text = R"("data":)" + string_of(event, "data");
  if (!event.HasMember("set")) return text + R"(,"ts":)";
  if (event["set"].IsString()) return text + R"(,"set":)" + string_of(event, "set") + R"(,"ts":)";
  text += R"(,"set":{)";
  for (const auto& member : event["set"].GetObject()) {
    if (text.back() != '{') text += ',';
    text += '"' + std::string(member.name.GetString()) + "\":" + member.value.GetString();
  }
  return text + R"(},"ts":)";
}

TEST_CASE("Every accepted command makes the event that its vector says, or none") {
  const auto document = load_vectors("commands_accepted");
  for (const auto& vector : document["vectors"].GetArray()) {
    CAPTURE(string_of(vector, "name"));
    testing::TestRelay relay;
    // A delete tells of a key that was there.
    REQUIRE(relay.send(R"({"op":"set","key":"playback","value":1})").ok());
    relay.take_updates();
    REQUIRE(relay.send(command_bytes(vector)).ok());
    std::vector<std::string> events;
    for (const Update& update : relay.take_updates()) {
      if (update.chunk) events.push_back(testing::text_of(update));
    }
    REQUIRE(events.size() == (vector.HasMember("event") ? 1 : 0));
    if (events.empty()) continue;
    const auto& event = vector["event"];
    CHECK_MESSAGE(events[0].find(event_begin(event)) != std::string::npos, events[0]);
    rapidjson::Document parsed;
    parsed.Parse(events[0].c_str());
    REQUIRE_FALSE(parsed.HasParseError());
    CHECK(string_of(parsed, "type") == string_of(event, "type"));
  }
}

TEST_CASE("Every rejected command is refused for the reason and at the byte that its vector says") {
  const auto document = load_vectors("commands_rejected");
  REQUIRE(document.IsObject());
  CHECK(document["vectors"].Size() > 100);
  CommandDecoder decoder(1 << 24);
  for (const auto& vector : document["vectors"].GetArray()) {
    CAPTURE(string_of(vector, "name"));
    const std::string message = command_bytes(vector);
    const auto command = decoder.decode(message);
    CHECK_FALSE(command.ok());
    if (command.ok()) continue;
    CAPTURE(command.error().detail);
    CHECK(name(command.error().reason) == string_of(vector, "reason"));
    CHECK(command.error().offset <= message.size());
    if (vector.HasMember("offset")) CHECK(command.error().offset == vector["offset"].GetUint64());
    REQUIRE(command.error().index.has_value() == vector.HasMember("index"));
    if (command.error().index) CHECK(command.error().index == vector["index"].GetUint64());
  }
}

TEST_CASE("Every merge patch gives what its vector says") {
  const auto document = load_vectors("merge_patches");
  REQUIRE(document.IsObject());
  CHECK(document["vectors"].Size() > 20);
  for (const auto& vector : document["vectors"].GetArray()) {
    CAPTURE(string_of(vector, "name"));
    const std::string target = vector["target"].IsNull() ? "null" : string_of(vector, "target");
    CHECK(merge_patch(target, string_of(vector, "patch")) == string_of(vector, "result"));
  }
}

}  // namespace
}  // namespace syncrelay
