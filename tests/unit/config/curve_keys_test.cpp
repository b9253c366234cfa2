#include "syncrelay/config/curve_keys.h"

#include <doctest/doctest.h>

namespace syncrelay::config {
namespace {

const std::string kKey = "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7";  // RFC 32's own example
const std::string kHash = "#" + kKey.substr(1);

std::string problem(const std::string& text) {
  const auto keys = curve_keys_in(text);
  return keys ? "" : keys.error().reason;
}

TEST_CASE("A key is 40 characters of Z85 that stand for 32 bytes") {
  CHECK(is_curve_key(kKey));
  CHECK_FALSE(is_curve_key(""));
  CHECK_FALSE(is_curve_key(kKey.substr(1)));
  CHECK_FALSE(is_curve_key(kKey + "0"));
  for (const char odd : {'"', '\'', ',', ';', '_', '`', '\\', '|', '~', ' ', '\n', '\x80'}) {
    std::string key = kKey;
    key[7] = odd;
    CHECK_FALSE(is_curve_key(key));
  }
  CHECK(is_curve_key("%nSc0" + kKey.substr(5)));        // ff ff ff ff
  CHECK_FALSE(is_curve_key("%nSc1" + kKey.substr(5)));  // one more
  CHECK_FALSE(is_curve_key(std::string(40, '#')));
}

TEST_CASE("A file with a key may end its line") {
  for (const char* end : {"", "\n", "\r\n"})
    CHECK(curve_key_in(kKey + end, CurveKind::secret_key).value() == kKey);
  for (const std::string& text : {std::string(), ' ' + kKey, kKey + ' ', kKey + '\n' + kKey}) {
    CHECK(curve_key_in(text, CurveKind::secret_key).error().reason.starts_with("holds no key: "));
  }
}

TEST_CASE("A first line says which key follows, and the other kind is refused") {
  const auto file = [](CurveKind kind) { return std::string(curve_mark(kind)) + "\r\n" + kKey; };
  for (const CurveKind kind : {CurveKind::secret_key, CurveKind::public_key}) {
    CHECK(curve_key_in(file(kind) + '\n', kind).value() == kKey);
    CHECK(curve_key_in("# of web 1\n" + kKey, kind).value() == kKey);
    CHECK_FALSE(curve_key_in(curve_mark(kind), kind).ok());
  }
  const auto as_secret = curve_key_in(file(CurveKind::public_key), CurveKind::secret_key);
  CHECK(as_secret.error().reason.starts_with("holds a public key"));
  const auto as_public = curve_key_in(file(CurveKind::secret_key), CurveKind::public_key);
  CHECK(as_public.error().reason.starts_with("holds a secret key"));
  CHECK(curve_keys_in(file(CurveKind::public_key)).value() == std::vector<std::string>{kKey});
  CHECK(problem("\n" + file(CurveKind::secret_key)).starts_with("line 2 holds a secret key"));
}

TEST_CASE("A list has keys, comments and empty lines") {
  const std::string text = "# backends\n\n  " + kKey + "  web 1\r\n#\n#\ttab\n" + kHash + "\n \t\n";
  const std::vector<std::string> both = {kKey, kHash};
  CHECK(is_curve_key(kHash) == (curve_keys_in(text).ok()));
  if (is_curve_key(kHash)) CHECK(curve_keys_in(text).value() == both);
  CHECK(curve_keys_in("").value().empty());
  CHECK(curve_keys_in(kKey).value() == std::vector<std::string>{kKey});
}

TEST_CASE("A list with anything else says in which line") {
  CHECK(problem("\n#comment\n").starts_with("line 2 begins with no public key"));
  CHECK(problem(kKey + "\n" + kKey + "x\n").starts_with("line 2 "));
  CHECK(problem("web " + kKey).starts_with("line 1 "));
}

}  // namespace
}  // namespace syncrelay::config
