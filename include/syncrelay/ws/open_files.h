#pragma once

#include <cstdint>

namespace syncrelay {

// Open files besides the clients' connections: HTTP requests under way, ZeroMQ, event loops, logs.
inline constexpr std::uint32_t kSpareFiles = 1024;

// How many of them may be connections that are no clients (yet): handshakes, /health, /metrics.
inline constexpr std::uint32_t kSpareConnections = 512;

// Sets the process' limit on open files to what `clients` connections need, as far as the hard
// limit allows; returns how many clients there is room for, at most `clients`. The limit is
// lowered, too: libwebsockets sizes its tables by it.
std::uint32_t reserve_open_files(std::uint32_t clients);

}  // namespace syncrelay
