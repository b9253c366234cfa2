#pragma once

#include <cstddef>
#include <cstdint>

namespace syncrelay {

// What the wire contract fixes (docs/protocol.md); what an option can change stands in config.
inline constexpr std::size_t kMaxNameBytes = 256;     // of a state key and of an event type
inline constexpr std::size_t kMaxIdBytes = 128;       // of a command's id
inline constexpr std::size_t kMaxChannelBytes = 128;  // of a channel's name
inline constexpr std::size_t kMaxIdentityBytes = 64;  // of who a client is
inline constexpr std::size_t kMaxInfoBytes = 1024;    // of what it says of itself
inline constexpr std::size_t kMaxWillCommands = 16;
inline constexpr std::size_t kMaxEpochBytes = 64;  // of an epoch that a client says
inline constexpr std::size_t kMaxChannelsOfBroadcast = 1000;
inline constexpr std::size_t kMaxBatchCommands = 1000;
inline constexpr std::size_t kMaxListedChannels = 1000;  // in one answer to `channels`
inline constexpr std::size_t kUsualListedChannels = 100;
inline constexpr std::uint64_t kMaxVersion = (std::uint64_t{1} << 53) - 1;  // what a double counts
inline constexpr int kMaxTtlSeconds = 365 * 24 * 3600;
inline constexpr std::size_t kMaxNesting = 512;  // of a command, the command itself being level 1
inline constexpr std::size_t kFragmentBytes =
    65'535;  // a longer message goes out as fragments of this size
inline constexpr int kMinHeartbeatSeconds = 1;  // of ?heartbeat=S
inline constexpr int kMaxHeartbeatSeconds = 300;

}  // namespace syncrelay
