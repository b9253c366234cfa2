#pragma once

#include <cstdint>
#include <string>

namespace syncrelay {

// What stands between this process and the relay at a ZeroMQ endpoint that does not answer, as far
// as the file system and the kernel tell: not started, another runtime directory, no permission.
std::string why_unreachable(const std::string& endpoint);

// The same for a TCP port; empty when it takes connections. Waits for a second at most, beside what
// looking the host up takes.
std::string why_unreachable(const std::string& host, std::uint16_t port);

}  // namespace syncrelay
