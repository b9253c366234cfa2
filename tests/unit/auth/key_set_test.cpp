#include "syncrelay/auth/key_set.h"

#include <doctest/doctest.h>

#include <string>

#include "support/token_maker.h"

namespace syncrelay {
namespace {

constexpr SigningAlgorithm kAlgorithms[] = {SigningAlgorithm::hs256, SigningAlgorithm::rs256,
                                            SigningAlgorithm::es256, SigningAlgorithm::eddsa};

std::string set_of(const std::string& keys) {
  return R"({"keys":[)" + keys + "]}";
}

std::string fault(const std::string& jwks) {
  const auto made = KeySet::of_jwks(jwks);
  return made ? "" : made.error();
}

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != text.npos;
}

}  // namespace

TEST_CASE("The algorithm follows from the key, in a file and in a set") {
  for (const SigningAlgorithm algorithm : kAlgorithms) {
    const TokenMaker maker(algorithm);
    const auto file = KeySet::of_key_file(maker.key_file());
    REQUIRE_MESSAGE(file.ok(), file.error());
    CHECK(file.value().find(std::nullopt)->algorithm() == algorithm);
    const auto set = KeySet::of_jwks(set_of(maker.jwk(R"(,"kid":"one")")));
    REQUIRE_MESSAGE(set.ok(), set.error());
    CHECK(set.value().find("one")->algorithm() == algorithm);
    for (const auto* key : {file.value().find(std::nullopt), set.value().find("one")}) {
      CHECK(key->verifies("text", maker.sign("text")));
      CHECK(!key->verifies("test", maker.sign("text")));
      CHECK(!key->verifies("text", ""));
      CHECK(!key->verifies("text", maker.sign("text") + "x"));
      CHECK(!key->verifies("text", std::string(64, '\0')));
    }
  }
}

TEST_CASE("A secret that is too short is refused with what would do, and is not shown") {
  for (const char* const secret : {"", "\n", "hunter2", "thirty-one bytes are not enough"}) {
    const auto made = KeySet::of_key_file(secret);
    REQUIRE(!made.ok());
    CHECK(has(made.error(), "32 at least"));
    CHECK(!has(made.error(), "hunter2"));
  }
}

TEST_CASE("What is in PEM but no public key is named, with how to get one") {
  const TokenMaker maker(SigningAlgorithm::es256);
  CHECK(has(KeySet::of_key_file(maker.private_pem()).error(), "openssl pkey -in KEY -pubout"));
  CHECK(has(
      KeySet::of_key_file("-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n").error(),
      "openssl x509"));
  CHECK(has(
      KeySet::of_key_file("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n").error(),
      "OpenSSL"));
}

TEST_CASE("Short RSA keys and other curves are refused") {
  for (const char* const pem : {R"(-----BEGIN PUBLIC KEY-----
MHYwEAYHKoZIzj0CAQYFK4EEACIDYgAEDLyBeu9y3XB2rPPGQp47i3xkWNvav8Ov
dgjEXdhQyhOsCOjh5ldVabklJ4ypewYcJOEoXM9Kd1/6Fd+AD3+I5HNIRB4yOY9E
3UBVVL9vb/sHyyKbqI5M+fUUC6m7RA7w
-----END PUBLIC KEY-----
)",
                                R"(-----BEGIN PUBLIC KEY-----
MFYwEAYHKoZIzj0CAQYFK4EEAAoDQgAEATUw/RHANzyrWPD5vUv4CfDd1HmR7XUD
qdUI7mT3aqzza/lHVONuoXe51s66MYadW0Q6d6Wq/Ttt1ZRMFY0BVA==
-----END PUBLIC KEY-----
)"})
    CHECK(has(KeySet::of_key_file(pem).error(), "EC on P-256"));
  const std::string modulus = base64url('\xc1' + std::string(126, 'n') + '\x01');  // 1,024 bits
  CHECK(has(fault(set_of(R"({"kty":"RSA","n":")" + modulus + R"(","e":"AQAB"})")), "1024 bits"));
  const std::string endless = base64url(std::string(5000, 'n'));
  CHECK(has(fault(set_of(R"({"kty":"RSA","n":")" + endless + R"(","e":"AQAB"})")), "too long"));
}

TEST_CASE("A set says which of its keys cannot be taken and why") {
  const TokenMaker rsa(SigningAlgorithm::rs256), curve(SigningAlgorithm::es256);
  const std::string good = curve.jwk(R"(,"kid":"a")");
  CHECK(has(fault("{"), "no JSON"));
  CHECK(has(fault("[]"), "no JWK Set"));
  CHECK(has(fault(R"({"keys":{}})"), "no JWK Set"));
  CHECK(fault(set_of("")) == "the set has no keys");
  CHECK(has(fault(set_of(curve.jwk(R"(,"use":"enc")"))), "none of the 1 keys of the set is for"));
  CHECK(has(fault(set_of("7")), "key 1"));
  CHECK(
      has(fault(set_of(good + ',' + good)), "key 2 of the set: it is the second one with its kid"));
  CHECK(has(fault(set_of(rsa.jwk("") + ',' + curve.jwk(""))),
            "key 2 of the set: it is the second one without"));
  CHECK(has(fault(set_of(curve.jwk(R"(,"d":"AAAA")"))), "private"));
  CHECK(has(fault(set_of(R"({"kty":"oct","k":"c2hvcnQ"})")), "too short"));
  CHECK(has(fault(set_of(R"({"kty":"EC","crv":"P-256","x":"AA","y":"AA"})")), "32 bytes"));
  CHECK(has(fault(set_of(R"({"kty":"EC","crv":"P-256","x":")" + base64url(std::string(32, 'x')) +
                         R"(","y":")" + base64url(std::string(32, 'y')) + "\"}")),
            "no point"));
  CHECK(has(fault(set_of(R"({"kty":"OKP","crv":"Ed25519","x":"AA"})")), "32 bytes"));
  CHECK(has(fault(set_of(R"({"kty":"oct","kid":7,"k":"AA"})")), "kid"));
  CHECK(has(fault(set_of(R"({"kty":"oct","kty":"RSA"})")), "twice"));
}

TEST_CASE("Keys for other things are left out of a set") {
  const TokenMaker rsa(SigningAlgorithm::rs256), curve(SigningAlgorithm::es256);
  const auto set = KeySet::of_jwks(set_of(
      rsa.jwk(R"(,"kid":"enc","use":"enc")") + ',' + rsa.jwk(R"(,"kid":"ps","alg":"PS256")") + ',' +
      R"({"kty":"EC","crv":"P-521","kid":"big"},{"kty":"new"},)" +
      curve.jwk(R"(,"kid":"sig","use":"sig","alg":"ES256")")));
  REQUIRE_MESSAGE(set.ok(), set.error());
  CHECK(set.value().size() == 1);
  CHECK(set.value().find("sig") != nullptr);
  CHECK(set.value().find("enc") == nullptr);
  CHECK(set.value().find(std::nullopt) == set.value().find("sig"));
}

TEST_CASE("A kid is a name and nothing else") {
  const TokenMaker maker(SigningAlgorithm::hs256), other(SigningAlgorithm::es256);
  const auto set =
      KeySet::of_jwks(set_of(maker.jwk(R"(,"kid":"a")") + ',' + other.jwk(R"(,"kid":"b")")));
  REQUIRE(set.ok());
  for (const char* const kid :
       {"", "../../dev/null", "/etc/passwd", "A", "a\n", "' OR 1=1 --", "http://evil/"})
    CHECK(set.value().find(kid) == nullptr);
  CHECK(set.value().find(std::nullopt) == nullptr);  // which one is not said
  CHECK(KeySet::of_key_file(maker.key_file()).value().find("any") != nullptr);
}

}  // namespace syncrelay
