#include "syncrelay/ws/first_page.h"

#include "syncrelay/base/ip_address.h"
#include "syncrelay/ws/embedded_files.h"

namespace syncrelay {
namespace {

bool is_of_this_machine(std::string_view address) {
  const auto parsed = IpAddress::parse(address);
  if (!parsed) return false;
  const auto loopback = IpNetwork::parse(parsed->is_v4() ? "127.0.0.0/8" : "::1");
  return loopback.value().contains(*parsed);
}

}  // namespace

std::optional<HttpResponse> FirstPage::answer(const HttpRequest& request,
                                              std::string_view address) const {
  if (request.path() == "/page.json") {
    HttpResponse response{200, "application/json", about, {}, {}};
    if (is_of_this_machine(address)) response.body = about_here;
    response.fields = kDataFields;
    return response;
  }
  const bool is_index = request.path() == "/index.html";
  const EmbeddedFile* const file = find_file(first_page_files(), is_index ? "/" : request.path());
  if (file == nullptr) return std::nullopt;
  return file_response(*file, request);
}

}  // namespace syncrelay
