#include "syncrelay/ws/token_place.h"

#include <algorithm>

namespace syncrelay {
namespace {

using Found = std::optional<std::string>;

// Other schemes are for proxies on the way. Which of two fields was meant nobody knows: that is
// none that is good, whatever they say.
Found in_authorization(const HttpRequest& request) {
  constexpr std::string_view kBearer = "bearer ";
  const std::vector<std::string_view> values = request.values("authorization");
  const auto bears = [kBearer](std::string_view value) {
    return value.size() > kBearer.size() &&
           equal_ignoring_case(value.substr(0, kBearer.size()), kBearer);
  };
  if (std::none_of(values.begin(), values.end(), bears)) return std::nullopt;
  return values.size() > 1 ? "" : std::string(trim(values[0].substr(kBearer.size())));
}

Found in_subprotocols(const HttpRequest& request) {
  constexpr std::string_view kBefore = "token.";
  for (const std::string_view element : request.elements("sec-websocket-protocol")) {
    if (element.starts_with(kBefore)) return std::string(element.substr(kBefore.size()));
  }
  return std::nullopt;
}

// RFC 6265 section 4.2.1.
Found in_cookies(std::string_view value, const std::string& name) {
  for (std::string_view rest = value; !rest.empty();) {
    const std::size_t end = std::min(rest.find(';'), rest.size());
    const std::string_view pair = trim(rest.substr(0, end));
    if (pair.starts_with(name) && pair.substr(name.size()).starts_with('='))
      return std::string(pair.substr(name.size() + 1));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return std::nullopt;
}

// What comes over HTTP/2 on its way may have a field for each (RFC 9113 section 8.2.3).
Found in_cookie(const HttpRequest& request, const std::string& name) {
  if (name.empty()) return std::nullopt;
  for (const std::string_view value : request.values("cookie")) {
    if (Found found = in_cookies(value, name)) return found;
  }
  return std::nullopt;
}

Found in_url(const std::vector<std::string>& arguments) {
  constexpr std::string_view kName = "token=";
  const auto found =
      std::find_if(arguments.begin(), arguments.end(), [kName](const std::string& text) {
        return text.starts_with(kName) && text.size() > kName.size();
      });
  if (found == arguments.end()) return std::nullopt;
  return found->substr(kName.size());
}

}  // namespace

std::optional<std::string> token_of(const HttpRequest& request,
                                    const std::vector<std::string>& arguments,
                                    const TokenPlaces& places) {
  if (Found token = in_authorization(request)) return token;
  if (Found token = in_subprotocols(request)) return token;
  if (Found token = in_cookie(request, places.cookie)) return token;
  return places.in_url ? in_url(arguments) : std::nullopt;
}

}  // namespace syncrelay
