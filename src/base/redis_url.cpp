#include "syncrelay/base/redis_url.h"

#include <algorithm>
#include <charconv>
#include <optional>

namespace syncrelay {
namespace {

constexpr std::uint16_t kRedisPort = 6379;
constexpr std::uint16_t kSentinelPort = 26379;
constexpr std::uint32_t kMaxDatabase = 65'535;
constexpr std::size_t kMaxHostName = 253;

// What is wrong, without what was written: where an '/' of a password was not encoded, any part of
// the text may hold a piece of it. Nothing: it is right.
using Problem = std::optional<std::string>;

// What stands before `mark`, which is taken off with it; all when there is no mark.
std::string_view cut(std::string_view& text, char mark) {
  const std::size_t end = text.find(mark);
  const std::string_view part = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return part;
}

template <typename Number>
bool read_number(std::string_view text, Number& number) {
  const char* end = text.data() + text.size();
  const auto [stopped, failure] = std::from_chars(text.data(), end, number);
  return failure == std::errc() && stopped == end;
}

bool is_name_byte(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '.' || c == '-';
}

// Of a database key, and without the braces that would change where Redis Cluster keeps it.
bool is_prefix(std::string_view text) {
  return !text.empty() && text.size() <= RedisUrl::kMaxPrefix &&
         std::all_of(text.begin(), text.end(), [](char c) { return is_name_byte(c) || c == ':'; });
}

bool is_host_name(std::string_view text) {
  return !text.empty() && text.size() <= kMaxHostName &&
         std::all_of(text.begin(), text.end(), is_name_byte);
}

bool is_ipv6(std::string_view text) {
  return text.size() >= 2 && text.find_first_not_of("0123456789abcdefABCDEF:.") == text.npos;
}

std::optional<std::string> percent_decoded(std::string_view text) {
  std::string decoded;
  for (std::size_t at = 0; at < text.size(); ++at) {
    unsigned char byte = static_cast<unsigned char>(text[at]);
    if (text[at] == '%') {
      const std::string_view digits = text.substr(at + 1, 2);
      const char* end = digits.data() + digits.size();
      const auto [stopped, failure] = std::from_chars(digits.data(), end, byte, 16);
      if (digits.size() != 2 || failure != std::errc() || stopped != end) return std::nullopt;
      at += 2;
    }
    decoded += static_cast<char>(byte);
  }
  return decoded;
}

Problem read_scheme(std::string_view& text, RedisUrl& url, bool& sentinel) {
  const std::size_t end = text.find("://");
  const std::string_view scheme = text.substr(0, end);
  if (end == std::string_view::npos ||
      (scheme != "redis" && scheme != "rediss" && scheme != "redis+sentinel"))
    return "it has to begin with redis:// or redis+sentinel://";
  url.tls = scheme == "rediss";
  sentinel = scheme == "redis+sentinel";
  text.remove_prefix(end + 3);
  return std::nullopt;
}

Problem read_credentials(std::string_view& authority, RedisUrl& url) {
  const std::size_t end = authority.rfind('@');
  if (end == std::string_view::npos) return std::nullopt;
  std::string_view password = authority.substr(0, end);
  authority.remove_prefix(end + 1);
  if (password.find(':') == std::string_view::npos)
    return "what stands before the @ has to be user:password, or :password";
  const auto user = percent_decoded(cut(password, ':'));
  const auto secret = percent_decoded(password);
  if (!user || !secret) return "in user and password a % has to be written as %25";
  if (secret->empty()) return "the password is empty";
  url.user = *user;
  url.password = *secret;
  return std::nullopt;
}

// "host", "host:port", "[address]", "[address]:port".
Problem read_host(std::string_view text, std::uint16_t default_port, RedisUrl& url) {
  RedisUrl::Host host{{}, default_port};
  std::string_view port;
  bool with_port = false;
  if (!text.empty() && text.front() == '[') {
    const std::size_t end = text.find(']');
    if (end == std::string_view::npos || !is_ipv6(text.substr(1, end - 1)))
      return "in the brackets is no IPv6 address";
    host.name = text.substr(1, end - 1);
    port = text.substr(end + 1);
    with_port = !port.empty();
    if (with_port && port.front() != ':') return "behind the brackets is no port";
    if (with_port) port.remove_prefix(1);
  } else {
    const std::size_t colon = text.find(':');
    with_port = colon != std::string_view::npos;
    if (with_port) port = text.substr(colon + 1);
    host.name = text.substr(0, colon);
    if (!is_host_name(host.name)) return "a host name has 1 to 253 bytes of A-Z a-z 0-9 _ . -";
  }
  if (with_port && (!read_number(port, host.port) || host.port == 0))
    return "a port is a number from 1 to 65535";
  url.hosts.push_back(std::move(host));
  return std::nullopt;
}

Problem read_hosts(std::string_view text, bool sentinel, RedisUrl& url) {
  if (!sentinel) return read_host(text, kRedisPort, url);
  do {
    if (url.hosts.size() == RedisUrl::kMaxHosts)
      return "more than " + std::to_string(RedisUrl::kMaxHosts) + " sentinels";
    if (Problem problem = read_host(cut(text, ','), kSentinelPort, url)) return problem;
  } while (!text.empty());
  return std::nullopt;
}

Problem read_path(std::string_view path, bool sentinel, RedisUrl& url) {
  if (sentinel) {
    url.master = cut(path, '/');
    if (!is_host_name(url.master)) return "the name of the master is missing: …host/NAME";
  }
  if (path.empty()) return std::nullopt;
  if (!read_number(path, url.database) || url.database > kMaxDatabase)
    return "a database is a number from 0 to 65535";
  return std::nullopt;
}

Problem read_query(std::string_view query, RedisUrl& url) {
  while (!query.empty()) {
    std::string_view value = cut(query, '&');
    const std::string_view name = cut(value, '=');
    if (name != "prefix") return "the only parameter is prefix";
    if (!is_prefix(value)) return "a prefix has 1 to 64 bytes of A-Z a-z 0-9 _ . : -";
    url.prefix = value;
  }
  return std::nullopt;
}

Problem read_url(std::string_view text, RedisUrl& url) {
  bool sentinel = false;
  if (Problem problem = read_scheme(text, url, sentinel)) return problem;
  // A password may hold a '?' or a '/' only percent-encoded, as everywhere in a URL.
  std::string_view path = cut(text, '?');
  std::string_view authority = cut(path, '/');
  if (path.find('@') != path.npos || text.find('@') != text.npos)
    return "in user and password a / has to be written as %2F, and a ? as %3F";
  if (Problem problem = read_credentials(authority, url)) return problem;
  if (Problem problem = read_hosts(authority, sentinel, url)) return problem;
  if (Problem problem = read_path(path, sentinel, url)) return problem;
  return read_query(text, url);
}

}  // namespace

Result<RedisUrl, std::string> RedisUrl::parse(std::string_view text) {
  RedisUrl url;
  if (Problem problem = read_url(text, url)) return *problem;
  return url;
}

std::string RedisUrl::shown() const {
  std::string text = !master.empty() ? "redis+sentinel://" : tls ? "rediss://" : "redis://";
  for (const Host& host : hosts) {
    if (&host != &hosts.front()) text += ',';
    const bool ipv6 = host.name.find(':') != std::string::npos;
    text += ipv6 ? "[" + host.name + "]" : host.name;
    text += ':' + std::to_string(host.port);
  }
  if (!master.empty()) text += '/' + master;
  return text + '/' + std::to_string(database) + "?prefix=" + prefix;
}

}  // namespace syncrelay
