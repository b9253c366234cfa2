#include "syncrelay/ws/token_place.h"

#include <doctest/doctest.h>

#include <string>

namespace syncrelay {
namespace {

std::string found(const std::string& fields, const TokenPlaces& places = {},
                  const std::string& query = {}) {
  const std::string head = "GET /ws/sync HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n";
  const auto request = HttpRequest::parse(head);
  REQUIRE(request.ok());
  return token_of(request.value(), arguments_of(query), places).value_or("none");
}

}  // namespace

TEST_CASE("A token is found in the Authorization field") {
  CHECK(found("Authorization: Bearer a.b.c\r\n") == "a.b.c");
  CHECK(found("authorization: bEARER   a.b.c  \r\n") == "a.b.c");
  CHECK(found("Authorization: Basic eDp5\r\n") == "none");
  CHECK(found("Authorization: Bearer\r\n") == "none");
  CHECK(found("Authorization: Bearera.b.c\r\n") == "none");
  CHECK(found("Authorization: Basic a\r\nAuthorization: Basic b\r\n") == "none");
}

TEST_CASE("Which of two fields was meant cannot be known: that is no good token, and not none") {
  const std::string a = "Authorization: Bearer a\r\n", b = "Authorization: Bearer b\r\n";
  CHECK(found(a + b).empty());
  CHECK(found(a + a).empty());
  CHECK(found("Authorization: Basic x\r\n" + a + "Sec-WebSocket-Protocol: token.c\r\n").empty());
}

TEST_CASE("A token is found among the subprotocols") {
  CHECK(found("Sec-WebSocket-Protocol: syncrelay, token.a.b.c\r\n") == "a.b.c");
  CHECK(found("Sec-WebSocket-Protocol: token.a.b.c,syncrelay\r\n") == "a.b.c");
  CHECK(found("Sec-WebSocket-Protocol: syncrelay\r\nSec-WebSocket-Protocol: token.a\r\n") == "a");
  CHECK(found("Sec-WebSocket-Protocol: syncrelay, tokens.a\r\n") == "none");
}

TEST_CASE("Cookies and the URL are looked at where an option says so") {
  const TokenPlaces all{"session", true}, none{};
  CHECK(found("Cookie: session=a.b.c\r\n", all) == "a.b.c");
  CHECK(found("Cookie: x=1;  session=a.b.c; y=2\r\n", all) == "a.b.c");
  CHECK(found("Cookie: mysession=a; session2=b; session\r\n", all) == "none");
  CHECK(found("Cookie: x=1\r\nCookie: session=a.b.c\r\nCookie: session=d\r\n", all) == "a.b.c");
  CHECK(found("Cookie: x=1,session=a.b.c\r\n", all) == "none");
  CHECK(found("Cookie: session=a.b.c\r\n", none) == "none");
  CHECK(found("", all, "x=1&token=a.b.c") == "a.b.c");
  CHECK(found("", all, "token=&tokens=b") == "none");
  CHECK(found("", none, "token=a.b.c") == "none");
}

TEST_CASE("Of several places the one that a script cannot be made to fill comes first") {
  const TokenPlaces all{"session", true};
  const std::string field = "Authorization: Bearer 1\r\n",
                    list = "Sec-WebSocket-Protocol: token.2\r\n", cookie = "Cookie: session=3\r\n";
  CHECK(found(field + list + cookie, all, "token=4") == "1");
  CHECK(found(list + cookie, all, "token=4") == "2");
  CHECK(found(cookie, all, "token=4") == "3");
  CHECK(found("", all, "token=4") == "4");
}

}  // namespace syncrelay
