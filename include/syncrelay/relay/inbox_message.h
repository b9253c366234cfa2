#pragma once

#include <cstdint>
#include <string>

#include "syncrelay/base/clock.h"

namespace syncrelay {

// What a client has said to the backend.
struct InboxMessage {
  std::uint64_t n = 0;           // its number; larger for what was said later, never used again
  std::uint64_t connection = 0;  // 0: of a relay before this one
  WallTime ts{};                 // when the relay took it
  std::string sender;   // see Said; at most 255 bytes together with a ref of the largest size
  std::string channel;  // that the message names; empty: the default one
  std::string text;     // JSON object

  std::uint64_t bytes() const { return sender.size() + channel.size() + text.size(); }
};

}  // namespace syncrelay
