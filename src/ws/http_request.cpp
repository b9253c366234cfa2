#include "syncrelay/ws/http_request.h"

#include <algorithm>
#include <cctype>

namespace syncrelay {
namespace {

constexpr std::string_view kSpace = " \t";

bool is_alphanumeric(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0;
}

// RFC 9110 section 5.6.2.
bool is_token_char(char c) {
  return is_alphanumeric(c) ||
         std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}

bool is_token(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), is_token_char);
}

// RFC 9110 section 5.5: visible characters, spaces, tabs, and bytes beyond ASCII.
bool is_field_value(std::string_view text) {
  const auto allowed = [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte == '\t' || (byte >= 0x20 && byte != 0x7f);
  };
  return std::all_of(text.begin(), text.end(), allowed);
}

bool is_target(std::string_view text) {
  const auto visible = [](char c) { return c > 0x20 && c < 0x7f; };
  return !text.empty() && std::all_of(text.begin(), text.end(), visible);
}

// Empty, or a number up to 65535 behind a colon.
bool is_port(std::string_view text) {
  constexpr std::size_t kMostDigits = 5;
  if (text.empty()) return true;
  text.remove_prefix(1);
  return text.size() <= kMostDigits &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

bool is_name_char(char c) {
  return is_alphanumeric(c) ||
         std::string_view("-._~!$&'()*+,;=%").find(c) != std::string_view::npos;
}

// RFC 3986 section 3.2.2, with the port.
bool is_authority(std::string_view text) {
  if (text.starts_with('[')) {
    const std::size_t end = text.find(']');
    const std::string_view behind = text.substr(std::min(end, text.size() - 1) + 1);
    return end != std::string_view::npos && (behind.empty() || behind.front() == ':') &&
           is_port(behind);
  }
  const std::size_t end = std::min(text.find(':'), text.size());
  const std::string_view name = text.substr(0, end);
  return !name.empty() && std::all_of(name.begin(), name.end(), is_name_char) &&
         is_port(text.substr(end));
}

// Takes the first line off; a line may end with a bare LF (RFC 9112 section 2.2).
std::string_view take_line(std::string_view& text) {
  const std::size_t end = text.find('\n');
  std::string_view line = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
  return line;
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

std::string_view trim(std::string_view text) {
  const std::size_t first = text.find_first_not_of(kSpace);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

bool equal_ignoring_case(std::string_view left, std::string_view right) {
  const auto same = [](unsigned char a, unsigned char b) {
    return std::tolower(a) == std::tolower(b);
  };
  return left.size() == right.size() && std::equal(left.begin(), left.end(), right.begin(), same);
}

std::size_t head_end(std::string_view bytes, std::size_t searched) {
  constexpr std::size_t kBeforeTheEnd = 2;  // the empty line's "\n\r" may have come before
  std::size_t at = bytes.find('\n', searched - std::min(searched, kBeforeTheEnd));
  for (; at != std::string_view::npos; at = bytes.find('\n', at + 1)) {
    const std::string_view behind = bytes.substr(at + 1, 2);
    if (behind.starts_with('\n')) return at + 2;
    if (behind == "\r\n") return at + 3;
  }
  return 0;
}

bool may_be_request(std::string_view bytes) {
  return bytes.empty() || is_token_char(bytes.front());
}

Result<HttpRequest, HttpFault> HttpRequest::parse(std::string_view head) {
  HttpRequest request;
  if (auto fault = request.parse_request_line(take_line(head))) return *fault;
  for (std::string_view line = take_line(head); !line.empty(); line = take_line(head)) {
    if (auto fault = request.parse_field(line)) return *fault;
  }
  if (auto fault = request.settle_host()) return *fault;
  return request;
}

std::optional<HttpFault> HttpRequest::parse_request_line(std::string_view line) {
  const HttpFault malformed{400, "the request line is not METHOD TARGET HTTP/1.1"};
  const std::size_t method_end = line.find(' ');
  const std::size_t version_begin = line.rfind(' ');
  if (method_end == std::string_view::npos || version_begin == method_end) return malformed;
  method_ = line.substr(0, method_end);
  const std::string_view version = line.substr(version_begin + 1);
  const auto digit = [version](std::size_t at) { return version[at] >= '0' && version[at] <= '9'; };
  if (!is_token(method_) || version.size() != 8 || !version.starts_with("HTTP/") || !digit(5) ||
      version[6] != '.' || !digit(7)) {
    return malformed;
  }
  if (version[5] != '1') return HttpFault{505, "only HTTP/1.1 is spoken here"};
  http_1_0_ = version[7] == '0';
  return parse_target(line.substr(method_end + 1, version_begin - method_end - 1));
}

// RFC 9112 section 3.2: a path, or a whole URL, whose authority then counts instead of Host.
std::optional<HttpFault> HttpRequest::parse_target(std::string_view target) {
  if (!is_target(target)) return HttpFault{400, "the request's target is not a URL"};
  if (const std::size_t scheme = target.find("://");
      target.front() != '/' && scheme != std::string_view::npos) {
    if (!equal_ignoring_case(target.substr(0, scheme), "http") &&
        !equal_ignoring_case(target.substr(0, scheme), "https")) {
      return HttpFault{400, "the request's target is of another scheme"};
    }
    target.remove_prefix(scheme + 3);
    const std::size_t authority_end = std::min(target.find_first_of("/?"), target.size());
    host_ = target.substr(0, authority_end);
    target.remove_prefix(authority_end);
    if (!is_authority(host_)) return HttpFault{400, "the request's target names no host"};
  }
  const std::size_t query = std::min(target.find('?'), target.size());
  path_ = target.substr(0, query);
  query_ = target.substr(std::min(query + 1, target.size()));
  return std::nullopt;
}

// A line that begins with a space would continue the one before, which RFC 9112 section 5.2 has a
// server refuse.
std::optional<HttpFault> HttpRequest::parse_field(std::string_view line) {
  const std::size_t colon = line.find(':');
  const std::string_view name = line.substr(0, colon);
  if (colon == std::string_view::npos || !is_token(name))
    return HttpFault{400, "a header field is not NAME: VALUE"};
  const std::string_view value = trim(line.substr(colon + 1));
  if (!is_field_value(value)) return HttpFault{400, "a header field holds control characters"};
  if (fields_.size() == kMaxFields) return HttpFault{431, "there are too many header fields"};
  fields_.push_back({name, value});
  return std::nullopt;
}

// RFC 9112 section 3.2: exactly one Host in HTTP/1.1.
std::optional<HttpFault> HttpRequest::settle_host() {
  const std::size_t hosts = count("host");
  if (hosts > 1) return HttpFault{400, "the Host header is there more than once"};
  if (hosts == 0) {
    if (http_1_0_) return std::nullopt;
    return HttpFault{400, "the Host header is missing"};
  }
  const std::string_view named = field("host");
  if (!named.empty() && !is_authority(named)) return HttpFault{400, "the Host header is no host"};
  if (host_.empty()) host_ = named;
  return std::nullopt;
}

std::size_t HttpRequest::count(std::string_view name) const {
  const auto named = [name](const Field& field) { return equal_ignoring_case(field.name, name); };
  return static_cast<std::size_t>(std::count_if(fields_.begin(), fields_.end(), named));
}

std::string_view HttpRequest::field(std::string_view name) const {
  const auto named = [name](const Field& field) { return equal_ignoring_case(field.name, name); };
  const auto found = std::find_if(fields_.begin(), fields_.end(), named);
  return found == fields_.end() ? std::string_view() : found->value;
}

std::vector<std::string_view> HttpRequest::values(std::string_view name) const {
  std::vector<std::string_view> found;
  for (const Field& field : fields_) {
    if (equal_ignoring_case(field.name, name)) found.push_back(field.value);
  }
  return found;
}

std::vector<std::string_view> HttpRequest::elements(std::string_view name) const {
  std::vector<std::string_view> found;
  for (std::string_view rest : values(name)) {
    while (!rest.empty()) {
      const std::size_t comma = std::min(rest.find(','), rest.size());
      found.push_back(trim(rest.substr(0, comma)));
      rest.remove_prefix(std::min(comma + 1, rest.size()));
    }
  }
  return found;
}

bool HttpRequest::lists(std::string_view name, std::string_view element) const {
  const std::vector<std::string_view> all = elements(name);
  return std::any_of(all.begin(), all.end(), [element](std::string_view listed) {
    return equal_ignoring_case(listed, element);
  });
}

std::string percent_decoded(std::string_view text) {
  std::string out;
  for (std::size_t index = 0; index < text.size(); ++index) {
    const bool escape = text[index] == '%' && index + 2 < text.size() &&
                        hex_digit(text[index + 1]) >= 0 && hex_digit(text[index + 2]) >= 0;
    out += escape ? static_cast<char>(hex_digit(text[index + 1]) * 16 + hex_digit(text[index + 2]))
                  : text[index];
    if (escape) index += 2;
  }
  return out;
}

std::vector<std::string> arguments_of(std::string_view query) {
  std::vector<std::string> arguments;
  while (!query.empty()) {
    const std::size_t end = std::min(query.find('&'), query.size());
    if (end > 0) arguments.push_back(percent_decoded(query.substr(0, end)));
    query.remove_prefix(std::min(end + 1, query.size()));
  }
  return arguments;
}

}  // namespace syncrelay
