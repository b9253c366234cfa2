#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "syncrelay/base/result.h"

namespace syncrelay {

inline constexpr std::size_t kMaxHeadBytes = 16 * 1024;  // of a request; browsers send cookies
inline constexpr std::size_t kMaxFields = 100;

// Why a head is no request that can be answered, and the status that says so (RFC 9110 section 15).
struct HttpFault {
  int status;
  std::string_view detail;
};

// The head of an HTTP/1 request (RFC 9112 sections 2 to 5). Views into the bytes it was read from,
// which must outlive it. Pure.
//
// Only the head is read: no request that is answered here has a body, and every connection that is
// not upgraded is closed after its answer, so that no bytes can be taken for another request.
//
// Rejected: libwebsockets' HTTP, which cannot be told what not to speak (it goes over to HTTP/2 by
// itself) and hides how often a field is there; http-parser, which is no longer kept.
class HttpRequest {
 public:
  // Precondition: `head` ends behind the empty line, see head_end().
  static Result<HttpRequest, HttpFault> parse(std::string_view head);

  std::string_view method() const { return method_; }
  std::string_view path() const { return path_; }    // as it was sent, without the query
  std::string_view query() const { return query_; }  // behind the question mark
  std::string_view host() const { return host_; }    // with its port; empty in HTTP/1.0 only
  bool http_1_0() const { return http_1_0_; }

  // The value of the field with this name (in lower case) where it is there once, and how often it
  // is.
  std::string_view field(std::string_view name) const;
  std::size_t count(std::string_view name) const;

  // The values of the fields with this name, in their order.
  std::vector<std::string_view> values(std::string_view name) const;

  // The elements of the fields with this name, each a comma-separated list (RFC 9110
  // section 5.6.1).
  std::vector<std::string_view> elements(std::string_view name) const;

  // Whether the fields with this name, each a comma-separated list (RFC 9110 section 5.6.1), have
  // this element, in whatever case.
  bool lists(std::string_view name, std::string_view element) const;

 private:
  struct Field {
    std::string_view name;
    std::string_view value;
  };

  std::optional<HttpFault> parse_request_line(std::string_view line);
  std::optional<HttpFault> parse_target(std::string_view target);
  std::optional<HttpFault> parse_field(std::string_view line);
  std::optional<HttpFault> settle_host();

  std::string_view method_;
  std::string_view path_;
  std::string_view query_;
  std::string_view host_;
  bool http_1_0_ = false;
  std::vector<Field> fields_;
};

// Where the head ends in `bytes`: behind the first empty line; 0 when it is not there yet. The
// first `searched` bytes were looked at by an earlier call.
std::size_t head_end(std::string_view bytes, std::size_t searched);

// Whether what begins so may become a request; tells TLS and the like at the first byte.
bool may_be_request(std::string_view bytes);

// Without the blanks around it (RFC 9110 section 5.6.3).
std::string_view trim(std::string_view text);

bool equal_ignoring_case(std::string_view left, std::string_view right);

// RFC 3986 section 2.1; what is no escape stays as it is.
std::string percent_decoded(std::string_view text);

// The arguments of a query, one string each, percent-decoded (RFC 3986 section 2.1):
// "epoch=9f2c61d0a7b34e55". Empty ones are left out.
std::vector<std::string> arguments_of(std::string_view query);

}  // namespace syncrelay
