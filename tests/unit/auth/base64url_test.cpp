#include "syncrelay/auth/base64url.h"

#include <doctest/doctest.h>

#include <string>

#include "support/token_maker.h"

namespace syncrelay {

TEST_CASE("What is written in base64url is read again") {
  std::string bytes;
  for (int length = 0; length < 300; ++length) {
    CHECK(decode_base64url(base64url(bytes)) == bytes);
    bytes.push_back(static_cast<char>(length * 37));
  }
}

TEST_CASE("There is one way only to write bytes in base64url") {
  CHECK(decode_base64url("TQ") == "M");
  for (const char* const text :
       {"TR", "T", "TQ==", "TQ=", "T Q", "TQ\n", "+/+/", "TWF=", "TW\xc3\xa9"})
    CHECK_MESSAGE(!decode_base64url(text), text);
  CHECK(!decode_base64url(std::string("TQ\0", 3)));
}

}  // namespace syncrelay
