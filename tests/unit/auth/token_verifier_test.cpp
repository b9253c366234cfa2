#include "syncrelay/auth/token_verifier.h"

#include <doctest/doctest.h>

#include <string>

#include "support/token_maker.h"

namespace syncrelay {
namespace {

constexpr WallTime kNow{1'800'000'000'000'000};

KeySet keys_of(const TokenMaker& maker) {
  auto made = KeySet::of_key_file(maker.key_file());
  REQUIRE(made.ok());
  return std::move(made).value();
}

std::string numbered(const TokenMaker& maker, std::size_t number) {
  return maker.token(R"({"exp":1800000100,"sub":"dev-)" + std::to_string(number) + "\"}");
}

}  // namespace

TEST_CASE("A token that comes again is not verified again, until it ends") {
  const TokenMaker maker(SigningAlgorithm::es256);
  const KeyRing ring(keys_of(maker));
  const TokenRules rules;
  TokenVerifier verifier(ring, rules);
  const std::string token = numbered(maker, 1);
  const auto first = verifier.verify(token, kNow);
  REQUIRE(first.ok());
  CHECK(verifier.recognised() == 0);
  CHECK(verifier.verify(token, kNow).value() == first.value());
  CHECK(verifier.recognised() == 1);
  CHECK(verifier.verify(token, {kNow.microseconds + 160'000'000}).error() == TokenFault::expired);
  CHECK(verifier.verify(token + "A", kNow).error() != TokenFault::expired);
}

TEST_CASE("What is not good is not remembered") {
  const TokenMaker maker(SigningAlgorithm::hs256);
  const KeyRing ring(keys_of(maker));
  const TokenRules rules;
  TokenVerifier verifier(ring, rules);
  for (int count = 0; count < 3; ++count)
    CHECK(!verifier.verify(numbered(maker, 1) + "AAAA", kNow).ok());
  CHECK(verifier.remembered() == 0);
}

TEST_CASE("Keys that are replaced take with them what they have verified") {
  const TokenMaker before(SigningAlgorithm::es256), after(SigningAlgorithm::es256);
  KeyRing ring(keys_of(before));
  const TokenRules rules;
  TokenVerifier verifier(ring, rules);
  const std::string token = numbered(before, 1);
  CHECK(verifier.verify(token, kNow).ok());
  ring.replace(keys_of(after));
  CHECK(verifier.verify(token, kNow).error() == TokenFault::signature);
  CHECK(verifier.verify(numbered(after, 1), kNow).ok());
  CHECK(verifier.remembered() == 1);
}

TEST_CASE("It remembers so many and no more, the newest") {
  const TokenMaker maker(SigningAlgorithm::hs256);
  const KeyRing ring(keys_of(maker));
  const TokenRules rules;
  TokenVerifier verifier(ring, rules);
  constexpr std::size_t kMany = TokenVerifier::kMaxRemembered + 10;
  for (std::size_t number = 0; number < kMany; ++number)
    REQUIRE(verifier.verify(numbered(maker, number), kNow).ok());
  CHECK(verifier.remembered() == TokenVerifier::kMaxRemembered);
  CHECK(verifier.verify(numbered(maker, kMany - 1), kNow).ok());
  CHECK(verifier.recognised() == 1);
  CHECK(verifier.verify(numbered(maker, 0), kNow).ok());
  CHECK(verifier.recognised() == 1);
}

}  // namespace syncrelay
