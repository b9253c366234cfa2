#include "syncrelay/ws/embedded_files.h"

#include <algorithm>
#include <string>
#include <vector>

namespace syncrelay {
namespace {

// Nothing but the relay's own files and its own port: no inline script or style, no frame, no form
// that leaves, no plugin.
constexpr std::string_view kPolicy =
    "\r\ncontent-security-policy: default-src 'none'; script-src 'self'; style-src 'self'; img-src "
    "'self'; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
    "\r\nx-content-type-options: nosniff"
    "\r\nreferrer-policy: no-referrer";

// A module is loaded by CORS, whoever asks; what it says is the same for everybody.
constexpr std::string_view kShared =
    "\r\naccess-control-allow-origin: *\r\ncross-origin-resource-policy: cross-origin";
constexpr std::string_view kOwn = "\r\ncross-origin-resource-policy: same-origin";

// RFC 9110 section 13.1.2, with the weak comparison.
bool has_already(const HttpRequest& request, std::string_view etag) {
  const std::vector<std::string_view> known = request.elements("if-none-match");
  const auto is_it = [etag](std::string_view tag) {
    return tag == "*" || tag == etag || tag == etag.substr(2);
  };
  return std::any_of(known.begin(), known.end(), is_it);
}

}  // namespace

const EmbeddedFile* find_file(std::span<const EmbeddedFile> files, std::string_view path) {
  const auto named = [path](const EmbeddedFile& file) { return file.path == path; };
  const auto found = std::find_if(files.begin(), files.end(), named);
  return found == files.end() ? nullptr : &*found;
}

std::optional<HttpResponse> admin_page(const HttpRequest& request) {
  const EmbeddedFile* const file = find_file(admin_page_files(), request.path());
  if (file == nullptr) return std::nullopt;
  return file_response(*file, request);
}

HttpResponse file_response(const EmbeddedFile& file, const HttpRequest& request) {
  HttpResponse response;
  response.content_type = file.content_type;
  response.fields = "\r\netag: ";
  response.fields.append(file.etag);
  // It is asked for again each time, and is not sent when nothing has changed.
  response.fields.append("\r\ncache-control: no-cache\r\nvary: accept-encoding");
  response.fields.append(kPolicy).append(file.shared ? kShared : kOwn);
  if (has_already(request, file.etag)) {
    response.status = 304;
    return response;
  }
  const bool small = request.lists("accept-encoding", "gzip");
  if (small) response.fields.append("\r\ncontent-encoding: gzip");
  response.body = small ? file.gzipped : file.bytes;
  return response;
}

}  // namespace syncrelay
