#include "syncrelay/auth/token.h"

#include <doctest/doctest.h>

#include <string>

#include "support/token_maker.h"

namespace syncrelay {
namespace {

constexpr std::int64_t kNow = 1'800'000'000;

// What becomes of a token at the time `seconds`: "" when it is taken.
std::string verdict(const std::string& token, const TokenMaker& maker, const TokenRules& rules = {},
                    std::int64_t seconds = kNow) {
  const auto keys = KeySet::of_key_file(maker.key_file());
  REQUIRE_MESSAGE(keys.ok(), keys.error());
  const auto access = verify_token(token, keys.value(), rules, {seconds * 1'000'000});
  return access ? "" : std::string(name_of(access.error()));
}

const TokenMaker& secret() {
  static const TokenMaker maker(SigningAlgorithm::hs256);
  return maker;
}

std::string claims(const std::string& members) {
  return R"({"exp":1800000100)" + members + '}';
}

// Of a genuine token with these claims.
std::string of_claims(const std::string& payload, const TokenRules& rules = {}) {
  return verdict(secret().token(payload), secret(), rules);
}

std::string of_header(const std::string& header) {
  return verdict(secret().token(header, claims("")), secret());
}

std::shared_ptr<const Access> granted(const std::string& payload) {
  const auto keys = KeySet::of_key_file(secret().key_file());
  const auto access = verify_token(secret().token(payload), keys.value(), {}, {kNow * 1'000'000});
  REQUIRE_MESSAGE(access.ok(), name_of(access.error()));
  return access.value();
}

}  // namespace

TEST_CASE("A genuine token is taken, by whichever algorithm its key is for") {
  for (const auto algorithm : {SigningAlgorithm::hs256, SigningAlgorithm::rs256,
                               SigningAlgorithm::es256, SigningAlgorithm::eddsa}) {
    const TokenMaker maker(algorithm), stranger(algorithm);
    const std::string token = maker.token(claims(R"(,"sub":"dev-1")"));
    CHECK(verdict(token, maker) == "");
    if (algorithm != SigningAlgorithm::hs256)
      CHECK(verdict(stranger.token(claims("")), maker) == "signature");
    for (std::size_t at = token.rfind('.') + 1; at + 1 < token.size(); at += 7) {
      std::string forged = token;
      forged[at] = forged[at] == 'A' ? 'B' : 'A';
      CHECK(verdict(forged, maker) == "signature");
    }
  }
}

TEST_CASE("A token cannot choose how it is verified (RFC 8725 sections 2.1, 3.1 and 3.2)") {
  const std::string payload = base64url(claims(""));
  for (const char* const none : {"none", "None", "NONE", "nOnE", "", "hs256", "HS512", "HS256 "}) {
    const std::string header = R"({"alg":")" + std::string(none) + "\"}";
    CHECK(verdict(base64url(header) + '.' + payload + '.', secret()) == "algorithm");
    CHECK(of_header(header) == "algorithm");
  }
  CHECK(of_header("{}") == "algorithm");
  CHECK(of_header(R"({"alg":["HS256"]})") == "algorithm");
  CHECK(of_header(R"({"alg":null})") == "algorithm");

  for (const auto algorithm :
       {SigningAlgorithm::rs256, SigningAlgorithm::es256, SigningAlgorithm::eddsa}) {
    const TokenMaker maker(algorithm);
    for (const char* const other :
         {"HS256", "RS256", "ES256", "EdDSA", "PS256", "RS512", "ES256K"}) {
      if (other == name_of(algorithm)) continue;
      CHECK(verdict(maker.token(R"({"alg":")" + std::string(other) + "\"}", claims("")), maker) ==
            "algorithm");
    }
  }
}

TEST_CASE("A public key is no secret (RFC 8725 section 2.1)") {
  const TokenMaker maker(SigningAlgorithm::rs256);
  // HMAC with the public key's file as secret is what a confused verifier would take.
  const std::string text = base64url(R"({"alg":"HS256"})") + '.' + base64url(claims(""));
  const auto confused = VerificationKey::from_secret(maker.key_file());
  REQUIRE(confused.ok());
  CHECK(verdict(text + '.' + base64url(secret().sign(text)), maker) == "algorithm");
}

TEST_CASE("What asks for more than is done here is refused (RFC 7515 section 4.1.11)") {
  CHECK(of_header(R"({"alg":"HS256","crit":["b64"],"b64":false})") == "algorithm");
  CHECK(of_header(R"({"alg":"HS256","crit":[]})") == "algorithm");
  for (const char* const type :
       {R"("JWE")", R"("secevent+jwt")", R"("dpop+jwt")", R"("id_token+jwt")", "7", "null"})
    CHECK(of_header(R"({"alg":"HS256","typ":)" + std::string(type) + '}') == "algorithm");
  for (const char* const type : {"JWT", "jwt", "at+jwt", "application/at+jwt"})
    CHECK(of_header(R"({"alg":"HS256","typ":")" + std::string(type) + "\"}") == "");
}

TEST_CASE("Keys that a token brings along are not looked at (RFC 8725 section 2.10)") {
  CHECK(of_header(R"({"alg":"HS256","jku":"http://127.0.0.1:9/","x5u":"file:///etc/passwd",)"
                  R"("jwk":{"kty":"oct","k":"AAAA"},"kid":"../../dev/null"})") == "");
  CHECK(of_header(R"({"alg":"HS256","kid":7})") == "malformed");
}

TEST_CASE("What is no token is told from one that is forged") {
  const std::string good = secret().token(claims(""));
  for (const std::string& text :
       {std::string(), std::string("."), std::string(".."), std::string("a.b"),
        std::string("a.b.c.d"), good + ".x", good + "=", ' ' + good, good + '\n', good.substr(1),
        std::string(3, '\0'), std::string(9000, 'a'), std::string("{}.{}.{}"),
        std::string("AAAA.AAAA.AAAA.AAAA.AAAA")})
    CHECK_MESSAGE(verdict(text, secret()) == "malformed", text);
  CHECK(of_header(R"({"alg":"HS256","alg":"none"})") == "malformed");
  CHECK(of_header(R"({"alg":"HS256","al\u0067":"none"})") == "malformed");
  CHECK(of_header(R"(["HS256"])") == "malformed");
  CHECK(of_header(R"({"alg":"HS256"} {})") == "malformed");
  CHECK(of_header(R"({"alg":"HS256",})") == "malformed");
  CHECK(of_header(std::string(9000, ' ') + R"({"alg":"HS256"})") == "malformed");
}

TEST_CASE("A claim that is there twice is none (RFC 8725 section 2.4)") {
  CHECK(of_claims(R"({"exp":1800000100,"exp":1})") == "malformed");
  CHECK(of_claims(R"({"exp":1800000100,"sub":"a","s\u0075b":"b"})") == "malformed");
  CHECK(of_claims("[]") == "malformed");
  CHECK(of_claims("") == "malformed");
  CHECK(of_claims(claims(",\"x\":\"\xff\"")) == "malformed");
}

TEST_CASE("A token is good until a minute after its end, and from a minute before its begin") {
  const std::string token = secret().token(R"({"exp":1800000000,"nbf":1799999000})");
  CHECK(verdict(token, secret(), {}, kNow + 59) == "");
  CHECK(verdict(token, secret(), {}, kNow + 60) == "expired");
  CHECK(verdict(token, secret(), {}, kNow - 1060) == "");
  CHECK(verdict(token, secret(), {}, kNow - 1061) == "not_yet_valid");
  CHECK(granted(R"({"exp":1800000000.25})")->until.microseconds ==
        (kNow + 60) * 1'000'000 + 250'000);
}

TEST_CASE("A token without an end is not taken, nor one whose times are none") {
  for (const char* const members :
       {"{}", R"({"exp":null})", R"({"exp":"1800000100"})", R"({"exp":1e300})", R"({"exp":1e999})",
        R"({"exp":-1e300})", R"({"exp":[1800000100]})", R"({"exp":true})",
        R"({"exp":1800000100,"nbf":"x"})"})
    CHECK_MESSAGE(of_claims(members) == "claims", members);
  CHECK(of_claims(R"({"exp":-1})") == "expired");
  CHECK(of_claims(R"({"exp":1e11})") == "");
}

TEST_CASE("A claim that has not its form is named, and its value is not") {
  const auto named = [](const std::string& payload) {
    const auto keys = KeySet::of_key_file(secret().key_file());
    const auto access = verify_token(secret().token(payload), keys.value(), {}, {kNow * 1'000'000});
    return access ? std::string() : std::string(access.error().claim);
  };
  CHECK(named("{}") == "exp");
  CHECK(named(claims(R"(,"nbf":"x")")) == "nbf");
  for (const char* const subject : {R"("ada@example.org")", R"("auth0|123")", "7", R"("")"})
    CHECK(named(claims(",\"sub\":" + std::string(subject))) == "sub");
  CHECK(named(claims(R"(,"info":7)")) == "info");
  CHECK(named(claims(R"(,"channels":"a")")) == "channels");
  CHECK(named(claims(R"(,"publish":[7])")) == "publish");
  CHECK(named(R"({"exp":1})").empty());
}

TEST_CASE("Issuer and audience count where they are asked for") {
  CHECK(of_claims(claims("")) == "");
  CHECK(of_claims(claims(""), {"me", ""}) == "issuer");
  CHECK(of_claims(claims(R"(,"iss":"me")"), {"me", ""}) == "");
  CHECK(of_claims(claims(R"(,"iss":"you")"), {"me", ""}) == "issuer");
  CHECK(of_claims(claims(R"(,"iss":["me"])"), {"me", ""}) == "issuer");
  CHECK(of_claims(claims(""), {"", "relay"}) == "audience");
  CHECK(of_claims(claims(R"(,"aud":"relay")"), {"", "relay"}) == "");
  CHECK(of_claims(claims(R"(,"aud":["other","relay"])"), {"", "relay"}) == "");
  CHECK(of_claims(claims(R"(,"aud":["other",["relay"]])"), {"", "relay"}) == "audience");
  CHECK(of_claims(claims(R"(,"aud":{"relay":1})"), {"", "relay"}) == "audience");
  CHECK(of_claims(claims(R"(,"aud":[])"), {"", "relay"}) == "audience");
}

TEST_CASE("A token says who somebody is and what is allowed") {
  const auto access = granted(
      claims(R"(,"sub":"dev-1","info":{"name":"Phone"},"channels":["","doc:*"],"publish":[])"));
  CHECK(access->id == "dev-1");
  CHECK(access->info == R"({"name":"Phone"})");
  REQUIRE(access->channels);
  CHECK((access->channels->match("") && access->channels->match("doc:7")));
  CHECK(!access->channels->match("room:1"));
  CHECK(!access->channels->match("@dev-2"));
  REQUIRE(access->publishes);
  CHECK(!access->publishes->match(""));
  const auto plain = granted(claims(""));
  CHECK((plain->id.empty() && plain->info.empty() && !plain->channels && !plain->publishes));
}

TEST_CASE("A claim that has not its form is not taken for one that is not there") {
  for (const char* const members :
       {R"(,"sub":"")", R"(,"sub":7)", R"(,"sub":null)", R"(,"sub":"@dev")", R"(,"sub":"a b")",
        R"(,"sub":"a\u0000b")", R"(,"info":[])", R"(,"info":"x")", R"(,"channels":"doc:*")",
        R"(,"channels":[7])", R"(,"channels":["a*b"])", R"(,"channels":null)", R"(,"publish":{})"})
    CHECK_MESSAGE(of_claims(claims(members)) == "claims", members);
  CHECK(of_claims(claims(R"(,"sub":")" + std::string(65, 'a') + '"')) == "claims");
  CHECK(of_claims(claims(R"(,"info":{"a":")" + std::string(1024, 'a') + "\"}")) == "claims");
  std::string many = R"("a")";
  for (std::size_t count = 1; count < kMaxTokenPatterns; ++count) many += R"(,"a")";
  CHECK(of_claims(claims(R"(,"channels":[)" + many + "]")) == "");
  CHECK(of_claims(claims(R"(,"channels":[)" + many + R"(,"a"])")) == "claims");
}

}  // namespace syncrelay
