#pragma once

#include <string>
#include <string_view>

#include "syncrelay/base/clock.h"

namespace syncrelay {

// A complete HTTP answer. The connection is closed after it, unless it says otherwise.
struct HttpResponse {
  int status = 200;
  std::string_view content_type = "text/plain; charset=utf-8";
  std::string body;
  std::string_view extra_name =
      {};  // one header more, when there is one; lower case: "retry-after"
  std::string_view extra_value = {};
  std::string fields = {};  // further ones, each "\r\nname: value"
  bool keeps = false;       // the connection goes on
};

// As it goes over the wire; without its body as the answer to HEAD (RFC 9110 section 9.3.2), and as
// 304 (section 15.4.5). 426 names what to upgrade to (section 15.5.22).
std::string serialize(const HttpResponse& response, WallTime now, bool with_body);

// The answer that grants an upgrade (RFC 6455 section 4.2.2). `key`: Sec-WebSocket-Key.
// `subprotocol`, `extensions`: empty for none.
std::string switching_protocols(std::string_view key, std::string_view subprotocol,
                                std::string_view extensions);

}  // namespace syncrelay
