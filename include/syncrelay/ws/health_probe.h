#pragma once

#include <cstdint>
#include <string>

#include "syncrelay/base/result.h"

namespace syncrelay {

// Asks the relay at host:port for /health and waits up to two seconds for each step. `tls`: over
// TLS; where it is not known that the port speaks TLS, the relay's own word makes up for it. The
// certificate is not verified: it names a host, and this is asked on the relay's own host by its
// address, says nothing secret, and believes no more than a status. The error says why it is not
// well.
Result<void, std::string> probe_health(const std::string& host, std::uint16_t port, bool tls);

}  // namespace syncrelay
