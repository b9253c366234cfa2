#include "syncrelay/door/routes.h"

#include <doctest/doctest.h>

#include <string>

#include "syncrelay/door/http_status.h"
#include "syncrelay/door/visitor_rule.h"

namespace syncrelay {
namespace {

HttpRequest request_of(const std::string& line, const std::string& fields) {
  static std::string head;
  head = line + " HTTP/1.1\r\nHost: localhost:8643\r\n" + fields + "\r\n";
  return HttpRequest::parse(head).value();
}

std::string query_of(const std::string& target) {
  return route(request_of("GET " + target, "")).query;
}

TEST_CASE("A path is a query of the control socket, and an argument a member of it") {
  CHECK(query_of("/state") == R"({"op":"state"})");
  CHECK(query_of("/state?channel=room:1&key=a%22b") ==
        R"({"op":"state","channel":"room:1","key":"a\"b"})");
  CHECK(query_of("/channels?prefix=a&limit=5") == R"({"op":"channels","prefix":"a","limit":5})");
  CHECK(query_of("/channels?after=5") == R"({"op":"channels","after":"5"})");
  CHECK(query_of("/channels/a%2Fb/members") == R"({"op":"members","channel":"a/b"})");
  CHECK(query_of("/channels//events?after=5&wait=0.5") ==
        R"({"op":"events","channel":"","after":5,"wait":0.5})");
  CHECK(query_of("/clients/7") == R"({"op":"explain","client":"7"})");
  CHECK(query_of("/refused?max=007") == R"({"op":"refused","max":"007"})");
  for (const char* text : {"1.2.3", "1.", ".5", "01", "-1", "1e3", ""})
    CHECK(query_of(std::string("/refused?max=") + text) ==
          R"({"op":"refused","max":")" + std::string(text) + "\"}");
  CHECK(query_of("/state?x") == R"({"op":"state","x":""})");
}

TEST_CASE("Of commands an id may be said in the URL, once, and nothing else") {
  const auto said = [](const std::string& target) {
    return arguments_of_commands(request_of("POST " + target, ""));
  };
  CHECK(!said("/commands").id);
  CHECK(said("/commands?id=a%20b").id == "a b");
  CHECK(said("/commands?id").id == "");
  CHECK(said("/commands?id=a&id=a").fault->reason == RejectReason::duplicate_member);
  for (const char* target :
       {"/commands?idx=a", "/commands?ID=a", "/commands?id=a&b", "/commands?=a"})
    CHECK(said(target).fault->reason == RejectReason::unknown_member);
}

TEST_CASE("What has no path is the page's, or nothing") {
  for (const char* target : {"/", "/page.js", "/state/", "/channels/a/b", "//"}) {
    CHECK(route(request_of(std::string("GET ") + target, "")).path == DoorPath::other);
    CHECK(query_of(target).empty());
  }
}

TEST_CASE("A page of somebody else is a fault, whatever it calls the relay") {
  const HostRule hosts({}, {});
  const auto fault = [&](const std::string& fields, bool of_page = false) {
    const auto found = visitor_fault(request_of("GET /", fields), hosts, false, of_page);
    return found ? found->status : 0;
  };
  CHECK(fault("") == 0);
  CHECK(fault("Origin: http://localhost:8643\r\n") == 0);
  CHECK(fault("Origin: https://LOCALHOST:8643\r\n") == 0);
  for (const char* origin : {"null", "", "http://localhost", "http://localhost:8642",
                             "ftp://localhost:8643", "http://localhost:8643.evil.example"})
    CHECK(fault(std::string("Origin: ") + origin + "\r\n") == 403);
  CHECK(fault("Sec-Fetch-Site: cross-site\r\n", true) == 403);
  CHECK(fault("Sec-Fetch-Site: same-origin\r\nSec-Fetch-Site: cross-site\r\n") == 403);
  const std::string link =
      "Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: ";
  CHECK(fault(link + "document\r\n", true) == 0);
  CHECK(fault(link + "iframe\r\n", true) == 403);
  CHECK(fault(link + "document\r\n") == 403);
}

TEST_CASE("A host that is not listed is known only to who shows a token") {
  const HostRule any({}, {});
  const HostRule listed({"relay.example"}, {});
  const HttpRequest strange =
      HttpRequest::parse("GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n").value();
  CHECK(visitor_fault(strange, any, false, false)->status == 421);
  CHECK_FALSE(visitor_fault(strange, any, true, false));
  CHECK(visitor_fault(strange, listed, true, false)->status == 421);
}

TEST_CASE("Who names no host, as no browser does, is asked for none") {
  const HostRule any({}, {});
  const HttpRequest check = HttpRequest::parse("GET /health HTTP/1.0\r\n\r\n").value();
  CHECK_FALSE(visitor_fault(check, any, false, false));
  const HttpRequest empty = HttpRequest::parse("GET / HTTP/1.1\r\nHost:\r\n\r\n").value();
  CHECK(visitor_fault(empty, any, false, false)->status == 421);
}

TEST_CASE("Every reason has a status, and what may go away says when to come again") {
  for (std::size_t index = 0; index < kRejectReasonNames.size(); ++index) {
    const auto reason = static_cast<RejectReason>(index);
    const HttpResponse response = relay_response("{}", &reason);
    CHECK(response.status >= 400);
    CHECK(may_retry(response.status) == (response.fields.find("retry-after") != std::string::npos));
  }
  CHECK(relay_response("{}", nullptr).status == 200);
  CHECK(fault_response({401, "x"}).fields.find("www-authenticate: Bearer") != std::string::npos);
}

}  // namespace
}  // namespace syncrelay
