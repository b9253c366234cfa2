#pragma once

#include <optional>
#include <string>

#include "syncrelay/base/clock.h"
#include "syncrelay/protocol/channel_name.h"

namespace syncrelay {

// Who a client is and what it may, as its token says. What is left out there is as for clients
// without a token. Immutable.
struct Access {
  std::string id;                            // is_identity(); empty: none
  std::string info;                          // JSON object of up to kMaxInfoBytes; empty: none
  std::optional<ChannelPatterns> channels;   // that it may follow, and no others
  std::optional<ChannelPatterns> publishes;  // where it may publish, and nowhere else
  WallTime until{};                          // the connection ends then, unless a newer one comes
};

}  // namespace syncrelay
