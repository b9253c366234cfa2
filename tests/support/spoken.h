#pragma once

#include <deque>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "support/choices.h"
#include "syncrelay/channel/channels.h"
#include "syncrelay/protocol/command.h"

namespace syncrelay::testing {

// Commands put together without a decoder, and the texts that they point into.
class Spoken {
 public:
  Command set(std::string_view channel, std::string key, std::string value, bool notify = true);
  Command merge(std::string_view channel, std::string key, std::string patch, bool notify = true);
  Command remove(std::string_view channel, std::string key, bool notify = true);
  Command broadcast(std::string_view channel, std::string data);
  Command drop(std::string_view channel);
  Command batch(std::vector<Command> commands);

  // Any command on one of a few channels and keys; those that name versions look at `table`, so
  // that some of them fit.
  Command random(Choices& choices, const ChannelTable& table);

 private:
  Command random_plain(Choices& choices, const ChannelTable& table);
  void expect_something(Command& command, Choices& choices, const ChannelTable& table);
  std::string_view keep(std::string text) { return texts_.emplace_back(std::move(text)); }

  std::deque<std::string> texts_;
};

}  // namespace syncrelay::testing
