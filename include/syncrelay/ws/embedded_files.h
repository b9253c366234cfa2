#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "syncrelay/ws/http_request.h"
#include "syncrelay/ws/http_response.h"

namespace syncrelay {

// A file of a page, as it lies in the executable: src/pages, made into tables by src/pages/embed.py
// when the project is built. All views last as long as the process.
struct EmbeddedFile {
  std::string_view path;  // of its URL: "/" is the page itself
  std::string_view content_type;
  std::string_view bytes;
  std::string_view gzipped;  // the same, for who takes gzip
  std::string_view etag;     // as it stands in the header, with W/ and quotes: it is for both forms
  bool shared;               // pages of other origins may load it, too
};

// The first page: GET / on the client port.
std::span<const EmbeddedFile> first_page_files();
// The admin page: GET / on the admin listener.
std::span<const EmbeddedFile> admin_page_files();

// The answer with the file of the admin page that the request is for; nullopt: there is none of its
// path. Holds nothing secret: who has no token needs it to be asked for one.
std::optional<HttpResponse> admin_page(const HttpRequest& request);

// null: there is none of that path.
const EmbeddedFile* find_file(std::span<const EmbeddedFile> files, std::string_view path);

// The whole answer: 200, or 304 to who has it already (If-None-Match); deflated for who takes gzip;
// with the headers that keep anything foreign out of the page. Its body is a copy: at most some
// 40 KB. The method is the caller's to look at.
HttpResponse file_response(const EmbeddedFile& file, const HttpRequest& request);

// The headers of what is no file but made for a page: nothing keeps it, nothing guesses its type.
inline constexpr std::string_view kDataFields =
    "\r\ncache-control: no-store\r\nx-content-type-options: nosniff";

}  // namespace syncrelay
