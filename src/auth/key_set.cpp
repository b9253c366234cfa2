#include "syncrelay/auth/key_set.h"

#include "auth/members.h"
#include "auth/secret_check.h"
#include "syncrelay/auth/base64url.h"
#include "syncrelay/json/json_parts.h"

namespace syncrelay {
namespace {

// Bytes that a member has in base64url; empty: it is not there, or is something else.
std::string bytes_in(const Members& jwk, std::string_view name) {
  const auto text = jwk.string(name);
  return text ? decode_base64url(*text).value_or(std::string()) : std::string();
}

// nullopt: of a kind that verifies nothing here.
std::optional<VerificationKey::Made> key_in(const Members& jwk) {
  const auto type = jwk.string("kty");
  const auto curve = jwk.string("crv");
  if (type == "oct") return VerificationKey::from_secret(bytes_in(jwk, "k"));
  if (type == "RSA") return VerificationKey::from_rsa(bytes_in(jwk, "n"), bytes_in(jwk, "e"));
  if (type == "EC" && curve == "P-256")
    return VerificationKey::from_p256(bytes_in(jwk, "x"), bytes_in(jwk, "y"));
  if (type == "OKP" && curve == "Ed25519") return VerificationKey::from_ed25519(bytes_in(jwk, "x"));
  return std::nullopt;
}

// Says of itself that it is for something else (RFC 7517 sections 4.2 to 4.4).
bool is_for_something_else(const Members& jwk, SigningAlgorithm algorithm) {
  if (jwk.has("use") && jwk.string("use") != "sig") return true;
  return jwk.has("alg") && jwk.string("alg") != name_of(algorithm);
}

std::string in_key(std::size_t number, std::string_view what) {
  return "key " + std::to_string(number) + " of the set: " + std::string(what);
}

}  // namespace

KeySet::Made KeySet::of_key_file(std::string_view content) {
  KeySet set;
  const bool pem = content.find("-----BEGIN ") != content.npos;
  if (auto why = pem ? std::nullopt : why_no_secret(content)) return *std::move(why);
  if (!pem && content.ends_with('\n')) content.remove_suffix(1);
  if (!pem && content.ends_with('\r')) content.remove_suffix(1);
  VerificationKey::Made key =
      pem ? VerificationKey::from_pem(content) : VerificationKey::from_secret(content);
  if (!key) return key.error();
  set.nameless_ = std::move(key).value();
  return set;
}

KeySet::Made KeySet::of_jwks(std::string_view content) {
  if (json_fault(content)) return std::string("this is no JSON");
  const auto members = Members::read(content);
  const std::string_view keys = members ? members->json("keys") : std::string_view();
  if (keys.empty() || keys.front() != '[')
    return std::string("this is no JWK Set: an object with a list \"keys\" (RFC 7517 section 5)");
  KeySet set;
  std::size_t number = 0;
  for (const JsonPart& jwk : json_parts(keys)) {
    ++number;
    if (number > kMaxKeys) return "more than " + std::to_string(kMaxKeys) + " keys";
    if (const auto fault = set.add_jwk(jwk.value)) return in_key(number, *fault);
  }
  if (number == 0) return std::string("the set has no keys");
  if (set.size() == 0) {
    return "none of the " + std::to_string(number) +
           " keys of the set is for HS256, RS256, ES256 or EdDSA signatures, by its \"kty\", "
           "\"crv\", \"use\" (\"sig\" or none) and \"alg\"";
  }
  return set;
}

std::optional<std::string> KeySet::add_jwk(std::string_view text) {
  const auto jwk = Members::read(text);
  if (!jwk) return "it is no object, or has a member twice";
  const auto kid = jwk->string("kid");
  if (jwk->has("kid") && !kid) return "its kid is no string";
  auto key = key_in(*jwk);
  if (!key) return std::nullopt;
  if (!*key) return key->error();
  if (jwk->has("d"))
    return "it is a private key, which a relay must not have: leave out \"d\" and what belongs to "
           "it";
  if (is_for_something_else(*jwk, key->value().algorithm())) return std::nullopt;
  if (!kid) {
    if (nameless_) return "it is the second one without a kid";
    nameless_ = std::move(*key).value();
  } else if (!by_kid_.emplace(*kid, std::move(*key).value()).second) {
    return "it is the second one with its kid";
  }
  return std::nullopt;
}

const VerificationKey* KeySet::find(std::optional<std::string_view> kid) const {
  if (kid) {
    const auto found = by_kid_.find(*kid);
    if (found != by_kid_.end()) return &found->second;
    return nameless_ && by_kid_.empty() ? &*nameless_ : nullptr;
  }
  if (nameless_) return &*nameless_;
  return by_kid_.size() == 1 ? &by_kid_.begin()->second : nullptr;
}

}  // namespace syncrelay
