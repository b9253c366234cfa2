#pragma once

#include <string>

namespace syncrelay {

// What stands between this process and the relay at a ZeroMQ endpoint that does not answer, as far
// as the file system and the kernel tell: not started, another runtime directory, no permission.
std::string why_unreachable(const std::string& endpoint);

}  // namespace syncrelay
