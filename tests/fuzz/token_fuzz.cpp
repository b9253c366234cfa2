// libFuzzer target: what strangers say is a token, and what an operator says is a key. The bytes
// are taken as each of these: text in base64url; a whole token; the header (up to the first line's
// end) and the payload of a token that is signed with the key of the set, so that claims are
// reached, too; a JWK Set; a key file. A token that is taken grants what is within the limits, is
// not taken with another signature, and is recognised; all else has one of the faults, or an error
// for a person.

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>

#include "syncrelay/auth/base64url.h"
#include "syncrelay/auth/key_ring.h"
#include "syncrelay/auth/key_set.h"
#include "syncrelay/auth/token.h"
#include "syncrelay/auth/token_verifier.h"
#include "syncrelay/protocol/limits.h"

namespace {

using namespace syncrelay;

constexpr std::string_view kSecret = "a secret that everybody may know";  // of 32 bytes
constexpr WallTime kNow{1'800'000'000'000'000};
// The secret as "a", and public keys of the other kinds.
constexpr std::string_view kJwks = R"({"keys":[
{"kty":"oct","kid":"a","k":"YSBzZWNyZXQgdGhhdCBldmVyeWJvZHkgbWF5IGtub3c"},
{"kty":"EC","crv":"P-256","kid":"e","x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4","y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM"},
{"kty":"OKP","crv":"Ed25519","kid":"o","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]})";

void require(bool holds) {
  if (!holds) std::abort();
}

std::string encode_base64url(std::string_view bytes) {
  constexpr std::string_view kAlphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  std::string text;
  std::uint32_t waiting = 0;
  unsigned count = 0;
  for (const char byte : bytes) {
    waiting = (waiting << 8) | static_cast<unsigned char>(byte);
    for (count += 8; count >= 6; count -= 6) text += kAlphabet[(waiting >> (count - 6)) & 63];
  }
  if (count > 0) text += kAlphabet[(waiting << (6 - count)) & 63];
  return text;
}

std::string signature_of(std::string_view text) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> mac{};
  unsigned size = 0;
  HMAC(EVP_sha256(), kSecret.data(), static_cast<int>(kSecret.size()),
       reinterpret_cast<const unsigned char*>(text.data()), text.size(), mac.data(), &size);
  return encode_base64url({reinterpret_cast<const char*>(mac.data()), size});
}

// What is verified with: made once, and always with the same answers.
struct Keys {
  KeyRing ring;
  TokenRules rules;
  TokenVerifier verifier;

  Keys(KeySet::Made keys, TokenRules asked)
      : ring(std::move(keys).value()), rules(std::move(asked)), verifier(ring, rules) {}
};

Keys& key_file() {
  static Keys keys(KeySet::of_key_file(kSecret), {});
  return keys;
}

Keys& jwks() {
  static Keys keys(KeySet::of_jwks(kJwks), {"https://issuer.example", "relay"});
  return keys;
}

void check_grant(const Access& access) {
  require(access.id.empty() || is_identity(access.id));
  require(access.info.empty() || (access.info.front() == '{' && access.info.back() == '}'));
  require(access.info.size() <= kMaxInfoBytes);
  require(access.until.microseconds > kNow.microseconds);
  for (const auto& patterns : {access.channels, access.publishes})
    require(!patterns || !patterns->match('@' + access.id));
}

// Whether it is taken.
bool check_token(const std::string& token, Keys& keys) {
  const auto verdict = verify_token(token, *keys.ring.keys(), keys.rules, kNow);
  for (int time = 0; time < 2; ++time) {
    const auto again = keys.verifier.verify(token, kNow);
    require(again.ok() == verdict.ok());
    if (!verdict) require(again.error() == verdict.error());
  }
  if (!verdict) {
    require(!name_of(verdict.error()).empty());
    return false;
  }
  require(token.size() <= kMaxTokenBytes);
  check_grant(*verdict.value());
  std::string forged = token;
  char& some = forged[forged.rfind('.') + 1];
  some = some == 'A' ? 'B' : 'A';
  const auto refused = verify_token(forged, *keys.ring.keys(), keys.rules, kNow);
  require(!refused && refused.error() == TokenFault::signature);
  return true;
}

void check_signed(std::string_view bytes) {
  const std::string_view header = bytes.substr(0, bytes.find('\n'));
  const std::string_view payload = bytes.substr(std::min(header.size() + 1, bytes.size()));
  const std::string text = encode_base64url(header) + '.' + encode_base64url(payload);
  const std::string token = text + '.' + signature_of(text);
  check_token(token, key_file());
  // Nothing but HS256 is signed with it, whatever the header says.
  if (check_token(token, jwks())) require(header.find("HS256") != header.npos);
}

void check_base64url(std::string_view bytes) {
  const auto decoded = decode_base64url(bytes);
  if (decoded) require(encode_base64url(*decoded) == bytes);
  const auto back = decode_base64url(encode_base64url(bytes));
  require(back && *back == bytes);
}

void check_keys(const KeySet::Made& made) {
  if (made) return require(made.value().size() >= 1 && made.value().size() <= KeySet::kMaxKeys);
  require(!made.error().empty() && made.error().size() < 400);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  check_base64url(bytes);
  const std::string token(bytes);
  check_token(token, key_file());
  check_token(token, jwks());
  check_signed(bytes);
  check_keys(KeySet::of_jwks(bytes));
  check_keys(KeySet::of_key_file(bytes));
  return 0;
}
