#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "syncrelay/shard/message_rate.h"

namespace syncrelay {

struct Identity;

// With what a close frame says that a backend commanded.
struct Parting {
  std::uint16_t code = 0;
  std::string reason;  // UTF-8
};

// An answer that goes out when the events before this place in the log have.
struct LateAnswer {
  std::uint64_t behind = 0;
  std::string text;
};

// What a session is to know of a client that says more than pings and subscriptions. Made when
// needed: most do not.
struct Speaker {
  std::string session;           // of the URL, which the client keeps when it comes again
  Identity* identity = nullptr;  // the shard's; null: it has said none
  MessageRate rate;
  std::optional<Parting> parting;  // it was dismissed
  std::vector<LateAnswer> late;    // in order; the session is held up as long as there are any
  std::size_t late_bytes = 0;      // of their texts
};

}  // namespace syncrelay
