#pragma once

#include <string>
#include <string_view>

namespace syncrelay {

// A complete HTTP answer.
struct HttpResponse {
  int status = 200;
  std::string_view content_type = "text/plain; charset=utf-8";
  std::string body;
  std::string_view extra_name =
      {};  // one header more, when there is one; lower case with colon: "retry-after:"
  std::string_view extra_value = {};
};

}  // namespace syncrelay
