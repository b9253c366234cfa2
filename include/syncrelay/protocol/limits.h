#pragma once

#include <cstddef>

namespace syncrelay {

// What the wire contract fixes (docs/protocol.md); what an option can change stands in config.
inline constexpr std::size_t kMaxNameBytes = 256;  // of a state key and of an event type
inline constexpr std::size_t kMaxIdBytes = 128;    // of a command's id
inline constexpr std::size_t kMaxNesting = 512;    // of a command, the command itself being level 1
inline constexpr std::size_t kFragmentBytes =
    65'535;  // a longer message goes out as fragments of this size
inline constexpr int kMinHeartbeatSeconds = 1;  // of ?heartbeat=S
inline constexpr int kMaxHeartbeatSeconds = 300;

}  // namespace syncrelay
