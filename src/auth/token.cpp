#include "syncrelay/auth/token.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <optional>
#include <utility>
#include <vector>

#include "auth/members.h"
#include "syncrelay/auth/base64url.h"
#include "syncrelay/json/json_parts.h"
#include "syncrelay/metrics/stats.h"
#include "syncrelay/protocol/limits.h"

namespace syncrelay {
namespace {

using Fault = std::optional<TokenRefusal>;

constexpr std::string_view kDateForm = "a number of seconds since 1970";
constexpr std::string_view kMustBeThere = "a number of seconds since 1970, which has to be there";
constexpr std::string_view kIdForm = "1 to 64 of A-Z a-z 0-9 _ . : ~ - /";
constexpr std::string_view kInfoForm = "a JSON object of at most 1 KiB";
constexpr std::string_view kPatternsForm =
    "a list of at most 100 names of channels, or beginnings of names and *";

constexpr double kMaxSeconds = 1e11;  // beyond any date; in microseconds still a 64-bit number

// The three parts of a JWS in compact form (RFC 7515 section 7.1), as they stand.
struct Parts {
  std::string_view header;
  std::string_view payload;
  std::string_view signature;
  std::string_view is_signed;  // the first two with the dot between them
};

std::optional<Parts> split(std::string_view token) {
  const std::size_t first = token.find('.');
  if (first == token.npos) return std::nullopt;
  const std::size_t second = token.find('.', first + 1);
  if (second == token.npos || token.find('.', second + 1) != token.npos) return std::nullopt;
  return Parts{token.substr(0, first), token.substr(first + 1, second - first - 1),
               token.substr(second + 1), token.substr(0, second)};
}

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return text;
}

// A token that was made for something else says so (RFC 8725 section 3.11, RFC 9068 section 2.1).
bool is_for_access(const Members& header) {
  if (!header.has("typ")) return true;
  const auto type = header.string("typ");
  if (!type) return false;
  const std::string name = lower(*type);
  return name == "jwt" || name == "at+jwt" || name == "application/at+jwt";
}

// The key is chosen before anything of the payload is believed.
Result<const VerificationKey*, TokenRefusal> key_for(const Members& header, const KeySet& keys) {
  if (header.has("crit") || !is_for_access(header)) return TokenRefusal(TokenFault::algorithm);
  const auto kid = header.string("kid");
  if (header.has("kid") && !kid) return TokenRefusal(TokenFault::malformed);
  const VerificationKey* const key =
      keys.find(kid ? std::optional<std::string_view>(*kid) : std::nullopt);
  if (key == nullptr) return TokenRefusal(TokenFault::unknown_key);
  if (header.string("alg") != name_of(key->algorithm())) return TokenRefusal(TokenFault::algorithm);
  return key;
}

// A NumericDate (RFC 7519 section 2) in microseconds; nullopt: it is none.
std::optional<std::int64_t> date(std::string_view json) {
  constexpr double kMicroseconds = 1e6;
  double seconds = 0;
  const auto [end, error] = std::from_chars(json.data(), json.data() + json.size(), seconds);
  if (json.empty() || error != std::errc() || end != json.data() + json.size()) return std::nullopt;
  if (!(std::abs(seconds) <= kMaxSeconds)) return std::nullopt;
  return static_cast<std::int64_t>(seconds * kMicroseconds);
}

Fault check_time(const Members& claims, WallTime now, Access& access) {
  constexpr std::int64_t kLeeway = kTokenLeewaySeconds * 1'000'000;
  const auto expires = date(claims.json("exp"));
  if (!expires) return TokenRefusal("exp", kMustBeThere);
  access.until = {*expires + kLeeway};
  if (now.microseconds >= access.until.microseconds) return TokenFault::expired;
  if (!claims.has("nbf")) return std::nullopt;
  const auto begins = date(claims.json("nbf"));
  if (!begins) return TokenRefusal("nbf", kDateForm);
  if (now.microseconds < *begins - kLeeway) return TokenFault::not_yet_valid;
  return std::nullopt;
}

// `aud` is a string or a list of them (RFC 7519 section 4.1.3).
bool is_meant(const Members& claims, const std::string& audience) {
  const std::string_view json = claims.json("aud");
  if (json.empty() || json.front() != '[') return claims.string("aud") == audience;
  const auto parts = json_parts(json);
  return std::any_of(parts.begin(), parts.end(), [&](const JsonPart& part) {
    return part.value.front() == '"' && decoded_json_string(part.value) == audience;
  });
}

Fault check_origin(const Members& claims, const TokenRules& rules) {
  if (!rules.issuer.empty() && claims.string("iss") != rules.issuer) return TokenFault::issuer;
  if (!rules.audience.empty() && !is_meant(claims, rules.audience)) return TokenFault::audience;
  return std::nullopt;
}

// nullopt: not a list of patterns. An empty one is the default channel.
std::optional<ChannelPatterns> patterns(std::string_view json) {
  if (json.front() != '[') return std::nullopt;
  std::vector<std::string> found;
  for (const JsonPart& part : json_parts(json)) {
    if (part.value.front() != '"' || found.size() == kMaxTokenPatterns) return std::nullopt;
    found.push_back(decoded_json_string(part.value));
    if (!found.back().empty() && !is_channel_pattern(found.back())) return std::nullopt;
  }
  return ChannelPatterns(std::move(found));
}

bool take_patterns(const Members& claims, std::string_view name,
                   std::optional<ChannelPatterns>& into) {
  if (!claims.has(name)) return true;
  into = patterns(claims.json(name));
  return into.has_value();
}

Fault take_grant(const Members& claims, Access& access) {
  if (claims.has("sub")) {
    const auto subject = claims.string("sub");
    if (!subject || !is_identity(*subject)) return TokenRefusal("sub", kIdForm);
    access.id = *subject;
  }
  if (claims.has("info")) {
    access.info = claims.json("info");
    if (access.info.front() != '{' || access.info.size() > kMaxInfoBytes)
      return TokenRefusal("info", kInfoForm);
  }
  if (!take_patterns(claims, "channels", access.channels))
    return TokenRefusal("channels", kPatternsForm);
  if (!take_patterns(claims, "publish", access.publishes))
    return TokenRefusal("publish", kPatternsForm);
  return std::nullopt;
}

}  // namespace

std::string_view name_of(TokenFault fault) {
  return kTokenFaultNames[static_cast<std::size_t>(fault)];
}

Result<std::shared_ptr<const Access>, TokenRefusal> verify_token(std::string_view token,
                                                                 const KeySet& keys,
                                                                 const TokenRules& rules,
                                                                 WallTime now) {
  using Refusal = TokenRefusal;
  if (token.size() > kMaxTokenBytes) return Refusal(TokenFault::malformed);
  const auto parts = split(token);
  if (!parts) return Refusal(TokenFault::malformed);
  const auto header_text = decode_base64url(parts->header);
  const auto header = header_text ? Members::read(*header_text) : std::nullopt;
  const auto signature = decode_base64url(parts->signature);
  if (!header || !signature) return Refusal(TokenFault::malformed);
  const auto key = key_for(*header, keys);
  if (!key) return key.error();
  if (!key.value()->verifies(parts->is_signed, *signature)) return Refusal(TokenFault::signature);

  const auto claims_text = decode_base64url(parts->payload);
  const auto claims = claims_text ? Members::read(*claims_text) : std::nullopt;
  if (!claims) return Refusal(TokenFault::malformed);
  auto access = std::make_shared<Access>();
  if (const Fault fault = check_time(*claims, now, *access)) return *fault;
  if (const Fault fault = check_origin(*claims, rules)) return *fault;
  if (const Fault fault = take_grant(*claims, *access)) return *fault;
  return std::shared_ptr<const Access>(std::move(access));
}

}  // namespace syncrelay
