// libFuzzer target: the bytes are one command. Whatever they are, it is refused with an offset
// inside it, or what was read of it lies inside it, is JSON by itself, and a relay that takes it
// stays whole.

#include <rapidjson/document.h>

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "support/frame_parser.h"
#include "support/test_relay.h"
#include "syncrelay/json/small_numbers.h"
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

void check_accepted(std::string_view message, const Command& command) {
  require(is_json(message));
  if (command.op == Op::broadcast) return check_broadcast(message, command);
  if (command.op == Op::set || command.op == Op::merge) require_part(message, command.value);
  if (!is_query(command.op) && command.op != Op::barrier) require_name(command.key);
}

// Twice, so that a merge finds something to merge into and an id is known.
void apply(const Command& command) {
  testing::TestRelay relay;
  for (int round = 0; round < 2; ++round) {
    require(relay.relay.apply(command, relay.clock.wall()).ok());
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
  check_accepted(message, *command.value());
  if (!is_query(command.value()->op)) apply(*command.value());
  return 0;
}
