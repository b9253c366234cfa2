#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace syncrelay {

// What is granted to a client that offers these extensions (RFC 6455 section 9.1), in their order:
// the first offer of permessage-deflate that can be kept (RFC 7692 section 7.1), as it is to be
// answered. Empty: none. What is malformed or not known is no offer that can be kept.
//
// Each side's messages then need none that came before. A client that asks the relay to refer back
// less far than Deflater does gets none.
std::string grant_deflate(const std::vector<std::string_view>& offers);

}  // namespace syncrelay
