#pragma once

#include <cstdint>
#include <string>

#include "syncrelay/base/clock.h"
#include "syncrelay/base/ids.h"

namespace syncrelay {

// One client, as a backend may ask about it.
struct ClientInfo {
  ConnectionId id;
  std::string address;
  WallTime since;
  std::uint64_t lag;          // events that it is behind, in all its channels
  std::uint64_t bytes;        // sent
  double last_sign_of_life;   // seconds ago: a pong or any data
  std::size_t subscriptions;  // channels that it follows
  std::string identity;       // empty: it has said none
};

}  // namespace syncrelay
