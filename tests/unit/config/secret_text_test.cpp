#include "syncrelay/config/secret_text.h"

#include <doctest/doctest.h>

namespace syncrelay::config {

TEST_CASE("What looks like a secret is told from the name of a file") {
  for (const char* const secret :
       {"0123456789abcdef0123456789abcdef", "K7gNU3sdo+OL0wNhqoVWhr3g6s1xYv72ol/pe/Unols=",
        "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7", "a phrase that is long enough to be one",
        "eyJhbGciOiJIUzI1NiJ9.eyJleHAiOjE4MDAwMDAwMDB9.c2lnbmF0dXJlMTIz", "a\nb"})
    CHECK_MESSAGE(looks_secret(secret), secret);
  for (const char* const file :
       {"key", "token.key", "/etc/syncrelay/0123456789abcdef0123456789abcdef",
        "./a-long-name-without-anything-else-in-it",
        "a-long-name-that-has-an-extension-of-its-own.key",
        "keys/production/of-the-relay/tokens/key", ""})
    CHECK_MESSAGE(!looks_secret(file), file);
}

TEST_CASE("Why a file cannot be read is told with its name, or without what looks like a secret") {
  CHECK(cannot_read("token.key", {"No such file"}) == "token.key: cannot be read: No such file");
  const std::string secret(40, 'a');
  CHECK(cannot_read(secret, {"No such file"}).find(secret) == std::string::npos);
}

}  // namespace syncrelay::config
