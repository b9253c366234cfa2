#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "syncrelay/ws/http_request.h"
#include "syncrelay/ws/http_response.h"

namespace syncrelay {

// The page that a relay shows of itself on the client port. Immutable, so any thread may ask.
struct FirstPage {
  // What the page cannot learn by itself, a JSON object each: GET /page.json. Who asks from this
  // machine is told where backends and operators come in, too; a stranger has no use for that.
  std::string about;
  std::string about_here;

  // `address`: of who asks. nullopt: nothing of the page has that path. The method is the caller's
  // to look at.
  std::optional<HttpResponse> answer(const HttpRequest& request, std::string_view address) const;
};

}  // namespace syncrelay
