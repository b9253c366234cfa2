#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "syncrelay/base/result.h"

namespace syncrelay {

struct NoTlsAnswer {
  std::string why;
};

// Says `request` over TLS on a connected socket and returns what comes back until the peer ends it,
// at most `most` bytes. Blocks as long as the socket does. Nobody looks at the certificate: for a
// peer that is known by its address, and for what is no secret.
Result<std::string, NoTlsAnswer> tls_exchange(int socket, std::string_view request,
                                              std::size_t most);

}  // namespace syncrelay
