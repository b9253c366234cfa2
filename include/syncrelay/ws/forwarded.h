#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "syncrelay/base/ip_address.h"

namespace syncrelay {

// The nodes that one Forwarded field names by `for`, one for each element (RFC 7239 section 4),
// unquoted; empty for an element that has none. It is read from its end, where a proxy has added
// its element, well formed, to what a stranger may have begun as it likes: all that stands before
// the last elements that can be read is one node, "unknown".
std::vector<std::string> forwarded_nodes(std::string_view field);

// The address of a node: IPv4, or IPv6 with brackets or, as X-Forwarded-For has it, without; a port
// may follow (RFC 7239 section 6). nullopt: it has none, as "unknown" and "_hidden".
std::optional<IpAddress> node_address(std::string_view node);

}  // namespace syncrelay
