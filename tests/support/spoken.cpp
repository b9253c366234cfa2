#include "support/spoken.h"

#include <iterator>
#include <vector>

namespace syncrelay::testing {
namespace {

Command make(Op op, std::string_view channel) {
  Command command;
  command.op = op;
  if (!channel.empty()) command.channel = channel;
  return command;
}

}  // namespace

Command Spoken::set(std::string_view channel, std::string key, std::string value, bool notify) {
  Command command = make(Op::set, channel);
  command.key = std::move(key);
  command.value = keep(std::move(value));
  command.notify = notify;
  return command;
}

Command Spoken::merge(std::string_view channel, std::string key, std::string patch, bool notify) {
  Command command = set(channel, std::move(key), std::move(patch), notify);
  command.op = Op::merge;
  return command;
}

Command Spoken::remove(std::string_view channel, std::string key, bool notify) {
  Command command = make(Op::remove, channel);
  command.key = std::move(key);
  command.notify = notify;
  return command;
}

Command Spoken::broadcast(std::string_view channel, std::string data) {
  Command command = make(Op::broadcast, channel);
  command.type = "\"e\"";
  command.data = keep(std::move(data));
  return command;
}

Command Spoken::drop(std::string_view channel) {
  return make(Op::drop, channel);
}

Command Spoken::batch(std::vector<Command> commands) {
  Command command = make(Op::batch, {});
  command.commands = std::move(commands);
  return command;
}

Command Spoken::random(Choices& choices, const ChannelTable& table) {
  if (!choices.one_in(5)) return random_plain(choices, table);
  std::vector<Command> commands;
  for (std::uint32_t left = 1 + choices.below(6); left > 0; --left) {
    commands.push_back(random_plain(choices, table));
    commands.back().offset = left * 10;
  }
  return batch(std::move(commands));
}

Command Spoken::random_plain(Choices& choices, const ChannelTable& table) {
  static const char* const kChannels[] = {"", "", "a", "b", "c", "room:1", "@dev"};
  static const char* const kKeys[] = {"radio", "a", "b", "c", "d\\\"", "e", "f", "comparison"};
  const std::string_view channel = kChannels[choices.below(std::size(kChannels))];
  const std::string key = kKeys[choices.below(std::size(kKeys))];
  const std::string value = R"({"n":)" + std::to_string(choices.below(100)) + R"(,"s":")" +
                            std::string(choices.below(120), 'x') + "\"}";
  const bool notify = !choices.one_in(3);
  Command command;
  switch (choices.below(10)) {
    case 0:
      return drop(channel);
    case 1:
    case 2:
      command = remove(channel, key, notify);
      break;
    case 3:
      command = merge(channel, key, R"({"m":)" + value + R"(,"n":null})", notify);
      break;
    case 4:
      command = broadcast(channel, value);
      break;
    case 5:
      command = broadcast(channel, value);
      command.set.push_back({key, keep(value)});
      command.set_object =
          keep("{\"" + std::string(key == "d\\\"" ? "k" : key) + "\":" + value + '}');
      command.notify = notify;
      break;
    case 6:
      command = broadcast({}, value);
      command.channels = {"a", "", "d"};
      break;
    default:
      command = set(channel, key, value, notify);
      if (choices.one_in(3)) command.ttl = std::chrono::milliseconds(1 + choices.below(5000));
      break;
  }
  if (choices.one_in(4)) expect_something(command, choices, table);
  return command;
}

void Spoken::expect_something(Command& command, Choices& choices, const ChannelTable& table) {
  const Channel* const channel = table.find(command.channel_name());
  const std::string key = command.key.empty() ? "a" : command.key;
  const State::Entry* const entry = channel == nullptr ? nullptr : channel->state.entry(key);
  const std::uint64_t version = entry == nullptr ? 0 : entry->version;
  command.expected = {{key, choices.one_in(3) ? version + 1 : version}};
}

}  // namespace syncrelay::testing
