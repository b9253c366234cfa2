#include "http_exchange.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <array>

namespace syncrelay {
namespace {

constexpr std::size_t kMaxHeadBytes = 1024;     // of a response
constexpr std::size_t kMaxArgumentBytes = 256;  // a longer argument is none that is known

std::string header(lws* wsi, lws_token_indexes token) {
  const int size = lws_hdr_total_length(wsi, token);
  if (size <= 0) return {};
  std::string value(static_cast<std::size_t>(size) + 1, '\0');
  const int copied = lws_hdr_copy(wsi, value.data(), static_cast<int>(value.size()), token);
  value.resize(copied > 0 ? static_cast<std::size_t>(copied) : 0);
  return value;
}

unsigned char* as_lws(std::string& bytes) {
  return reinterpret_cast<unsigned char*>(bytes.data());
}

const unsigned char* as_lws(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

}  // namespace

UpgradeRequest read_request(lws* wsi) {
  UpgradeRequest request;
  request.path = header(wsi, WSI_TOKEN_GET_URI);
  request.is_get = !request.path.empty();
  for (const lws_token_indexes token :
       {WSI_TOKEN_POST_URI, WSI_TOKEN_PUT_URI, WSI_TOKEN_DELETE_URI, WSI_TOKEN_PATCH_URI,
        WSI_TOKEN_OPTIONS_URI, WSI_TOKEN_HEAD_URI}) {
    if (request.path.empty()) request.path = header(wsi, token);
  }
  request.host = header(wsi, WSI_TOKEN_HOST);
  request.origin = header(wsi, WSI_TOKEN_ORIGIN);
  request.connection = header(wsi, WSI_TOKEN_CONNECTION);
  request.key = header(wsi, WSI_TOKEN_KEY);
  request.version = header(wsi, WSI_TOKEN_VERSION);
  request.protocol = header(wsi, WSI_TOKEN_PROTOCOL);
  return request;
}

std::vector<std::string> read_arguments(lws* wsi) {
  std::vector<std::string> arguments;
  std::array<char, kMaxArgumentBytes> argument;
  for (int index = 0;; ++index) {
    const int size = lws_hdr_fragment_length(wsi, WSI_TOKEN_HTTP_URI_ARGS, index);
    if (size <= 0) return arguments;
    const int copied = lws_hdr_copy_fragment(wsi, argument.data(), argument.size(),
                                             WSI_TOKEN_HTTP_URI_ARGS, index);
    if (copied > 0) arguments.emplace_back(argument.data(), static_cast<std::size_t>(copied));
  }
}

std::string peer_address(lws* wsi) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (getpeername(lws_get_socket_fd(wsi), reinterpret_cast<sockaddr*>(&address), &size) != 0)
    return "unknown";
  const void* ip =
      address.ss_family == AF_INET6
          ? static_cast<const void*>(&reinterpret_cast<sockaddr_in6&>(address).sin6_addr)
          : &reinterpret_cast<sockaddr_in&>(address).sin_addr;
  return inet_ntop(address.ss_family, ip, text.data(), text.size()) != nullptr ? text.data()
                                                                               : "unknown";
}

bool send_response(lws* wsi, const HttpResponse& response) {
  std::array<unsigned char, LWS_PRE + kMaxHeadBytes> head;
  unsigned char* const start = head.data() + LWS_PRE;
  unsigned char* const end = head.data() + head.size();
  unsigned char* at = start;
  const std::string content_type(response.content_type);
  if (lws_add_http_common_headers(wsi, static_cast<unsigned>(response.status), content_type.c_str(),
                                  response.body.size(), &at, end) != 0) {
    return false;
  }
  if (!response.extra_name.empty() &&
      lws_add_http_header_by_name(wsi, as_lws(response.extra_name), as_lws(response.extra_value),
                                  static_cast<int>(response.extra_value.size()), &at, end) != 0) {
    return false;
  }
  if (lws_finalize_write_http_header(wsi, start, &at, end) != 0) return false;
  std::string body(LWS_PRE, '\0');
  body += response.body;
  return lws_write(wsi, as_lws(body) + LWS_PRE, response.body.size(), LWS_WRITE_HTTP_FINAL) >= 0;
}

}  // namespace syncrelay
