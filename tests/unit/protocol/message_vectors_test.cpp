// The wire examples of what clients hear and say.

#include <doctest/doctest.h>

#include <algorithm>

#include "support/vectors.h"
#include "syncrelay/protocol/client_message.h"
#include "syncrelay/protocol/command_decoder.h"
#include "syncrelay/protocol/server_message.h"

namespace syncrelay {
namespace {

using testing::load_vectors;
using testing::string_of;

std::uint64_t number_of(const rapidjson::Value& vector, const char* member) {
  return vector.HasMember(member) ? vector[member].GetUint64() : 0;
}

WallTime time_of(const rapidjson::Value& vector) {
  return {static_cast<std::int64_t>(number_of(vector, "ts_us"))};
}

// The text of the command's event, up to its time.
std::string told(std::string_view channel, const Command& command) {
  EventEncoder encoder;
  std::string text;
  for (const std::string_view piece : encoder.encode(channel, command, false, {}, Seq{}))
    text += piece;
  return text.substr(0, text.rfind(R"(,"ts":)"));
}

// The same as its vector says it.
std::string told(const rapidjson::Value& event) {
  std::string text = R"({"type":")" + string_of(event, "type") + '"';
  if (event.HasMember("channel")) text += R"(,"channel":")" + string_of(event, "channel") + '"';
  text += R"(,"data":)" + string_of(event, "data");
  if (!event.HasMember("set")) return text;
  text += R"(,"set":{)";
  for (const auto& member : event["set"].GetObject())
    text += '"' + std::string(member.name.GetString()) + "\":" + member.value.GetString();
  return text + '}';
}

// What a command tells, in order.
std::vector<std::string> told(const Command& command) {
  std::vector<std::string> events;
  for (const Command& inner : command.commands) {
    for (std::string& event : told(inner)) events.push_back(std::move(event));
  }
  if (!makes_event(command)) return events;
  for (const std::string& channel : command.channels) events.push_back(told(channel, command));
  if (command.channels.empty()) events.push_back(told(command.channel_name(), command));
  return events;
}

TEST_CASE("Every command tells in its channels what its vector says") {
  const auto document = load_vectors("channel_commands");
  CommandDecoder decoder(1 << 24);
  for (const auto& vector : document["vectors"].GetArray()) {
    CAPTURE(string_of(vector, "name"));
    if (!vector.HasMember("events")) continue;
    const std::string message = string_of(vector, "command");
    const auto command = decoder.decode(message);
    REQUIRE(command.ok());
    std::vector<std::string> expected;
    for (const auto& event : vector["events"].GetArray()) expected.push_back(told(event));
    CHECK(told(*command.value()) == expected);
  }
}

// The command that makes the event of a vector.
std::string command_of(const rapidjson::Value& event) {
  const std::string type = string_of(event, "type");
  const std::string data = string_of(event, "data");
  const std::string trace =
      event.HasMember("trace") ? R"(,"traceparent":")" + string_of(event, "trace") + '"' : "";
  if (type == "sync:delete")
    return R"({"op":"delete","key":)" + data.substr(1, data.size() - 2) + trace + "}";
  if (type.starts_with("sync:")) {
    const std::size_t colon = data.find(':');
    return R"({"op":")" + type.substr(5) + R"(","key":)" + data.substr(1, colon - 1) +
           R"(,"value":)" + data.substr(colon + 1, data.size() - colon - 2) + trace + "}";
  }
  const std::string set = event.HasMember("set") ? R"(,"set":)" + string_of(event, "set") : "";
  const std::string from =
      event.HasMember("from") ? R"(,"from":")" + string_of(event, "from") + '"' : "";
  return R"({"op":"broadcast","type":")" + type + R"(","data":)" + data + set + from + trace + "}";
}

TEST_CASE("Every event is written as its vector says") {
  const auto document = load_vectors("events");
  CHECK(document["vectors"].Size() > 10);
  CommandDecoder decoder(1 << 24);
  EventEncoder encoder;
  for (const auto& vector : document["vectors"].GetArray()) {
    const std::string message = command_of(vector);
    const auto command = decoder.decode(message);
    REQUIRE_MESSAGE(command.ok(), message);
    const std::string channel = string_of(vector, "channel");
    std::string text;
    for (const std::string_view piece : encoder.encode(
             channel, *command.value(), false, time_of(vector), Seq{number_of(vector, "seq")}))
      text += piece;
    CHECK(text == string_of(vector, "text"));
  }
}

TEST_CASE("Every first message is written as its vector says") {
  const auto document = load_vectors("snapshots");
  CHECK(document["vectors"].Size() > 10);
  for (const auto& vector : document["vectors"].GetArray()) {
    const std::string channel = string_of(vector, "channel");
    const std::string epoch = string_of(vector, "epoch");
    const PositionText position{time_of(vector), Seq{number_of(vector, "seq")}, epoch};
    if (string_of(vector, "kind") == "resume") {
      CHECK(resume_message(channel, position, Seq{number_of(vector, "to")}) ==
            string_of(vector, "text"));
      continue;
    }
    std::string text = snapshot_head(channel);
    for (const auto& entry : vector["state"].GetArray()) {
      if (text.back() != '{') text += ',';
      text += '"' + std::string(entry[0].GetString()) + "\":" + entry[1].GetString();
    }
    text += kSnapshotTail;
    CHECK(text + snapshot_end(position, number_of(vector, "skipped")) == string_of(vector, "text"));
  }
}

MemberChange change_named(const std::string& kind) {
  if (kind == "joined") return MemberChange::joined;
  return kind == "changed" ? MemberChange::changed : MemberChange::left;
}

std::string member_event(const rapidjson::Value& vector) {
  const std::string channel = string_of(vector, "channel");
  const std::string id = string_of(vector, "id");
  const std::string info = string_of(vector, "info");
  const std::string since = string_of(vector, "since");
  EventEncoder encoder;
  std::string text;
  for (const std::string_view piece :
       encoder.encode(channel, change_named(string_of(vector, "kind")), {id, info, since},
                      time_of(vector), Seq{number_of(vector, "seq")}))
    text += piece;
  return text;
}

std::string snapshot_with_members(const rapidjson::Value& vector) {
  std::string text = snapshot_head(string_of(vector, "channel"));
  const auto add = [&text](const std::string& name, const std::string& value) {
    if (text.back() != '{') text += ',';
    text += '"' + name + "\":" + value;
  };
  for (const auto& entry : vector["state"].GetArray())
    add(entry[0].GetString(), entry[1].GetString());
  text += kSnapshotMembers;
  for (const auto& entry : vector["members"].GetArray()) {
    add(entry[0].GetString(), R"({"info":)" + std::string(entry[1].GetString()) + R"(,"since":)" +
                                  entry[2].GetString() + "}");
  }
  text += kSnapshotTail;
  const std::string epoch = string_of(vector, "epoch");
  return text + snapshot_end({time_of(vector), Seq{number_of(vector, "seq")}, epoch},
                             number_of(vector, "skipped"));
}

TEST_CASE("Members are told as their vectors say") {
  const auto document = load_vectors("members");
  CHECK(document["vectors"].Size() > 10);
  for (const auto& vector : document["vectors"].GetArray()) {
    CAPTURE(string_of(vector, "name"));
    const bool full = string_of(vector, "kind") == "full";
    CHECK((full ? snapshot_with_members(vector) : member_event(vector)) ==
          string_of(vector, "text"));
  }
}

RefusedSubscription refusal_named(const std::string& code) {
  const auto found =
      std::find_if(kRefusedSubscriptions.begin(), kRefusedSubscriptions.end(),
                   [&](const RefusedSubscriptionInfo& refused) { return refused.name == code; });
  REQUIRE(found != kRefusedSubscriptions.end());
  return found->why;
}

void check_subscribe(const rapidjson::Value& vector) {
  const auto message = parse_client_message(string_of(vector, "text"));
  REQUIRE(message);
  REQUIRE(std::holds_alternative<SubscribeMessage>(*message));
  const auto& subscribe = std::get<SubscribeMessage>(*message);
  CHECK(subscribe.channel == string_of(vector, "channel"));
  CHECK(subscribe.wants_resume == vector.HasMember("seq"));
  REQUIRE(subscribe.after.has_value() == vector.HasMember("seq"));
  if (!subscribe.after) return;
  CHECK(subscribe.after->epoch == string_of(vector, "epoch"));
  CHECK(subscribe.after->seq.value == number_of(vector, "seq"));
}

void check_unsubscribe(const rapidjson::Value& vector) {
  const auto message = parse_client_message(string_of(vector, "text"));
  REQUIRE(message);
  REQUIRE(std::holds_alternative<UnsubscribeMessage>(*message));
  CHECK(std::get<UnsubscribeMessage>(*message).channel == string_of(vector, "channel"));
}

TEST_CASE("Subscriptions are asked for and answered as the vectors say") {
  const auto document = load_vectors("subscriptions");
  CHECK(document["vectors"].Size() > 10);
  for (const auto& vector : document["vectors"].GetArray()) {
    CAPTURE(string_of(vector, "name"));
    const std::string kind = string_of(vector, "kind");
    const std::string channel = string_of(vector, "channel");
    if (kind == "subscribe") check_subscribe(vector);
    if (kind == "unsubscribe") check_unsubscribe(vector);
    if (kind == "unsubscribed") {
      CHECK(unsubscribed_message(channel, vector.HasMember("reason"),
                                 number_of(vector, "skipped")) == string_of(vector, "text"));
    }
    if (kind == "refused") {
      CHECK(refused_message(channel, refusal_named(string_of(vector, "code"))) ==
            string_of(vector, "text"));
    }
  }
}

std::string fault_name(const AnsweredMessage& message) {
  return message.fault ? std::string(info(*message.fault).name) : std::string();
}

void check_hello(const rapidjson::Value& vector, const HelloMessage& hello) {
  CHECK(fault_name(hello) == string_of(vector, "fault"));
  CHECK(hello.ref == string_of(vector, "ref"));
  if (hello.fault) return;
  CHECK(hello.id == string_of(vector, "id"));
  CHECK(hello.info == string_of(vector, "info"));
  REQUIRE(hello.after.has_value() == vector.HasMember("seq"));
  if (!hello.after) return;
  CHECK(hello.after->epoch == string_of(vector, "epoch"));
  CHECK(hello.after->seq.value == number_of(vector, "seq"));
}

void check_publish(const rapidjson::Value& vector, const PublishMessage& publish) {
  CHECK(fault_name(publish) == string_of(vector, "fault"));
  CHECK(publish.ref == string_of(vector, "ref"));
  if (publish.fault) return;
  CHECK(publish.channel == string_of(vector, "channel"));
  CHECK(publish.event == string_of(vector, "event"));
  CHECK(publish.data == string_of(vector, "data"));
}

void check_message(const rapidjson::Value& vector, const BackendMessage& message) {
  CHECK(fault_name(message) == string_of(vector, "fault"));
  CHECK(message.ref == string_of(vector, "ref"));
  CHECK(message.channel == string_of(vector, "channel"));
  if (!message.fault) CHECK(message.text == string_of(vector, "text"));
}

TEST_CASE("What clients say for others is heard and answered as the vectors say") {
  const auto document = load_vectors("client_messages");
  CHECK(document["vectors"].Size() > 10);
  for (const auto& vector : document["vectors"].GetArray()) {
    CAPTURE(string_of(vector, "name"));
    const std::string kind = string_of(vector, "kind");
    const std::string ref = string_of(vector, "ref");
    const std::string text = string_of(vector, "text");
    if (kind == "ack") CHECK(ack_message(ref) == text);
    if (kind == "error")
      CHECK(error_message(ref, string_of(vector, "code"), string_of(vector, "message")) == text);
    const std::string type =
        vector.HasMember("hello_type") ? string_of(vector, "hello_type") : std::string(kHelloType);
    const auto message = parse_client_message(text, type);
    if (kind == "hello") check_hello(vector, std::get<HelloMessage>(message.value()));
    if (kind == "publish") check_publish(vector, std::get<PublishMessage>(message.value()));
    if (kind == "message") check_message(vector, std::get<BackendMessage>(message.value()));
  }
}

}  // namespace
}  // namespace syncrelay
