#pragma once

#include <cstddef>
#include <cstdint>

namespace syncrelay {

// What the wire contract fixes (docs/protocol.md); what an option can change stands in config.
inline constexpr std::size_t kMaxNameBytes = 256;         // of a state key and of an event type
inline constexpr std::size_t kMaxIdBytes = 128;           // of a command's id
inline constexpr std::size_t kMaxChannelBytes = 128;      // of a channel's name
inline constexpr std::size_t kMaxIdentityBytes = 64;      // of who a client is
inline constexpr std::size_t kMaxInfoBytes = 1024;        // of what it says of itself
inline constexpr std::size_t kMaxEpochBytes = 64;         // of an epoch that a client says
inline constexpr std::size_t kMaxRefBytes = 64;           // of a client's message
inline constexpr std::size_t kMaxSessionBytes = 64;       // of ?session=
inline constexpr std::size_t kMaxReasonBytes = 123;       // of a close frame (RFC 6455 section 5.5)
inline constexpr std::uint64_t kMinDismissalCode = 4000;  // of a close frame that a backend wants
inline constexpr std::uint64_t kMaxDismissalCode = 4999;
inline constexpr std::size_t kMaxWillCommands = 16;
inline constexpr std::size_t kMaxChannelsOfBroadcast = 1000;
inline constexpr std::size_t kMaxBatchCommands = 1000;
inline constexpr std::size_t kMaxListedChannels = 1000;  // in one answer to `channels`
inline constexpr std::size_t kUsualListedChannels = 100;
inline constexpr std::uint64_t kMaxVersion = (std::uint64_t{1} << 53) - 1;  // what a double counts
inline constexpr int kMaxTtlSeconds = 365 * 24 * 3600;
inline constexpr std::size_t kMaxReceived = 1000;  // messages in one answer to `receive`
inline constexpr std::size_t kUsualReceived = 100;
inline constexpr std::size_t kMaxSettled = 1000;  // numbers in one `done`, `extend` or `release`
inline constexpr int kMaxWaitSeconds = 60;        // of `receive`
inline constexpr int kMinLeaseSeconds = 1;
inline constexpr int kMaxLeaseSeconds = 3600;
inline constexpr int kUsualLeaseSeconds = 30;
inline constexpr std::size_t kMaxClusterCommand = 63 << 20;  // in the log that relays share
inline constexpr std::size_t kMaxNesting = 512;  // of a command or a client's message, itself being
                                                 // level 1
inline constexpr std::size_t kFragmentBytes =
    65'535;  // a longer message goes out as fragments of this size
inline constexpr int kMinHeartbeatSeconds = 1;  // of ?heartbeat=S
inline constexpr int kMaxHeartbeatSeconds = 300;

}  // namespace syncrelay
