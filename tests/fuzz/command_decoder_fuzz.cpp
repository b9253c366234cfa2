// libFuzzer target: the bytes are one command. Whatever they are, it is refused with an offset
// inside it, or what was read of it lies inside it, is JSON by itself, and a relay that takes it
// stays whole.

#include <rapidjson/document.h>

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "support/frame_parser.h"
#include "support/test_relay.h"
#include "syncrelay/json/small_numbers.h"
#include "syncrelay/protocol/channel_name.h"
#include "syncrelay/protocol/limits.h"

namespace {

using namespace syncrelay;

void require(bool holds) {
  if (!holds) std::abort();
}

bool is_json(std::string_view text) {
  rapidjson::Document document;
  constexpr unsigned kFlags = rapidjson::kParseIterativeFlag |
                              rapidjson::kParseValidateEncodingFlag |
                              rapidjson::kParseNumbersAsStringsFlag;
  const std::string small = with_small_numbers(text);
  document.Parse<kFlags>(small.data(), small.size());
  return !document.HasParseError();
}

void require_part(std::string_view message, std::string_view part) {
  require(message.data() <= part.data() &&
          part.data() + part.size() <= message.data() + message.size());
  require(is_json(part));
}

void require_name(std::string_view name) {
  require(!name.empty() && name.size() <= kMaxNameBytes);
}

void check_broadcast(std::string_view message, const Command& command) {
  require_part(message, command.type);
  if (command.data != "null") require_part(message, command.data);
  if (!command.set_object.empty()) require_part(message, command.set_object);
  for (const KeyValue& entry : command.set) {
    require_name(entry.key);
    require_part(command.set_object, entry.value);
  }
}

void check_channels(const Command& command) {
  require(command.channels.size() <= kMaxChannelsOfBroadcast);
  require(!command.channel || command.channels.empty());
  require(command.channel_name().empty() || is_channel_name(command.channel_name()));
  for (const std::string& channel : command.channels)
    require(channel.empty() || is_channel_name(channel));
}

void check_accepted(std::string_view message, const Command& command) {
  check_channels(command);
  for (const Expected& expected : command.expected) {
    require_name(expected.key);
    require(expected.version <= kMaxVersion);
  }
  if (command.ttl)
    require(command.ttl->count() > 0 && *command.ttl <= std::chrono::seconds(kMaxTtlSeconds));
  if (command.op == Op::broadcast) check_broadcast(message, command);
  if (command.op == Op::set || command.op == Op::merge) require_part(message, command.value);
  if (command.op < Op::broadcast) require_name(command.key);
  require((command.op == Op::batch) == !command.commands.empty());
  require(command.commands.size() <= kMaxBatchCommands);
  for (const Command& inner : command.commands) {
    require(has_effect(inner.op) && inner.op != Op::batch && inner.id.empty());
    require(message[inner.offset] == '{');
    check_accepted(message, inner);
  }
}

// Twice, so that a merge finds something to merge into and an id is known.
void apply(const Command& command) {
  testing::TestRelay relay;
  for (int round = 0; round < 2; ++round) {
    const auto applied = relay.relay.apply(command, {relay.clock.wall()});
    require(applied.ok() || applied.error().reason == RejectReason::conflict);
    for (const Update& update : relay.take_updates()) {
      if (update.chunk) require(is_json(testing::text_of(update)));
    }
    relay.relay.state().for_each([](const State::Entry& entry) { require(is_json(*entry.value)); });
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static CommandDecoder decoder(1 << 16);
  const std::string_view message(reinterpret_cast<const char*>(data), size);
  const auto command = decoder.decode(message);
  if (!command) {
    require(command.error().offset <= size && !command.error().detail.empty());
    return 0;
  }
  require(is_json(message));
  check_accepted(message, *command.value());
  if (!is_query(command.value()->op)) apply(*command.value());
  return 0;
}
