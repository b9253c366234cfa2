#include "syncrelay/ws/first_page.h"

#include <doctest/doctest.h>

#include <string>

#include "syncrelay/ws/embedded_files.h"

namespace syncrelay {
namespace {

const FirstPage kPage{"for all", "for who is here"};

// A whole request for `path`, which the answer is made of.
std::optional<HttpResponse> answer(const std::string& path, const std::string& fields = {},
                                   const std::string& address = "10.0.0.7") {
  const std::string head = "GET " + path + " HTTP/1.1\r\nHost: localhost\r\n" + fields + "\r\n";
  return kPage.answer(HttpRequest::parse(head).value(), address);
}

bool has(const HttpResponse& response, const std::string& line) {
  return response.fields.find("\r\n" + line) != std::string::npos;
}

TEST_CASE("The page and its files are there, and nothing else is") {
  for (const char* path : {"/", "/index.html", "/page.js", "/page.css", "/syncrelay.js"}) {
    CAPTURE(path);
    REQUIRE(answer(path));
    CHECK(answer(path)->status == 200);
    CHECK(answer(path)->body.size() > 300);
  }
  for (const char* path : {"/page", "/index", "/page/", "/../page.js", "/metrics", "//"})
    CHECK_FALSE(answer(path));
}

TEST_CASE("Every file of both pages is whole, has a type, and lets nothing foreign in") {
  for (const auto files : {first_page_files(), admin_page_files()}) {
    REQUIRE(find_file(files, "/") != nullptr);
    for (const EmbeddedFile& file : files) {
      CAPTURE(file.path);
      CHECK(find_file(files, file.path) == &file);
      CHECK_FALSE(file.bytes.empty());
      CHECK(file.gzipped.starts_with("\x1f\x8b"));
      CHECK(file.etag.starts_with("W/\""));
      const HttpResponse response = file_response(file, HttpRequest());
      CHECK(has(response, "content-security-policy: default-src 'none'; script-src 'self'; "));
      CHECK(has(response, "x-content-type-options: nosniff"));
      CHECK(has(response, "cache-control: no-cache"));
    }
  }
}

TEST_CASE("The admin page is found by its path") {
  const auto asked = [](const std::string& path) {
    const std::string head = "GET " + path + " HTTP/1.1\r\nHost: localhost\r\n\r\n";
    return admin_page(HttpRequest::parse(head).value());
  };
  REQUIRE(asked("/"));
  CHECK(asked("/")->content_type == "text/html; charset=utf-8");
  CHECK(asked("/page.js"));
  for (const char* path : {"/clients", "/channels", "/metrics", "/health", "/syncrelay.js"})
    CHECK_FALSE(asked(path));
}

TEST_CASE("Nothing in a page stands where the policy would not let it be") {
  for (const auto files : {first_page_files(), admin_page_files()}) {
    const std::string_view page = find_file(files, "/")->bytes;
    for (const char* inline_code : {"<style", " style=", " onclick=", "javascript:", "http://",
                                    "https://", "<script>", "<script type=\"module\">"}) {
      CAPTURE(inline_code);
      CHECK(page.find(inline_code) == std::string_view::npos);
    }
  }
}

TEST_CASE("Who has a file already gets none, and who takes gzip gets it small") {
  const HttpResponse whole = *answer("/page.js");
  const HttpResponse small = *answer("/page.js", "Accept-Encoding: br, gzip\r\n");
  CHECK(has(small, "content-encoding: gzip"));
  CHECK(small.body.size() < whole.body.size());
  CHECK(answer("/page.js", "Accept-Encoding: gzip;q=0\r\n")->body == whole.body);
  const std::string etag(find_file(first_page_files(), "/page.js")->etag);
  for (const std::string& known : {etag, etag.substr(2), "\"other\", " + etag, std::string("*")})
    CHECK(answer("/page.js", "If-None-Match: " + known + "\r\n")->status == 304);
  CHECK(answer("/page.js", "If-None-Match: \"other\"\r\n")->status == 200);
  const HttpResponse known = *answer("/", "If-None-Match: *\r\n");
  const std::string text = serialize(known, WallTime{}, true);
  CHECK(text.starts_with("HTTP/1.1 304 Not Modified\r\n"));
  CHECK(text.find("content-length") == std::string::npos);
}

TEST_CASE("Only the browser client is for pages of other origins, too") {
  CHECK(has(*answer("/syncrelay.js"), "access-control-allow-origin: *"));
  CHECK_FALSE(has(*answer("/page.js"), "access-control-allow-origin"));
  CHECK_FALSE(has(*answer("/page.json"), "access-control-allow-origin"));
}

TEST_CASE("Who asks from this machine is told where backends come in") {
  for (const char* here : {"127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"})
    CHECK(answer("/page.json", {}, here)->body == "for who is here");
  for (const char* stranger : {"10.0.0.7", "2001:db8::1", "", "128.0.0.1"})
    CHECK(answer("/page.json", {}, stranger)->body == "for all");
}

}  // namespace
}  // namespace syncrelay
