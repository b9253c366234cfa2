#pragma once

#include <cstdint>
#include <string>

#include "syncrelay/base/result.h"

namespace syncrelay {

// Asks the relay at host:port for /health and waits up to two seconds. The error says why it is not
// well.
Result<void, std::string> probe_health(const std::string& host, std::uint16_t port);

}  // namespace syncrelay
