#include "syncrelay/json/json_text.h"

#include <doctest/doctest.h>
#include <rapidjson/document.h>

namespace syncrelay {
namespace {

TEST_CASE("A JSON string escapes what it must and no more") {
  CHECK(json_string("") == R"("")");
  CHECK(json_string("radio:started/é🎵") == R"("radio:started/é🎵")");
  CHECK(json_string("a\"b\\c") == R"("a\"b\\c")");
  CHECK(json_string(std::string_view("\0\n\x1f\x7f", 4)) == "\"\\u0000\\u000a\\u001f\x7f\"");
}

TEST_CASE("Every byte of ASCII survives being written and read") {
  std::string all;
  for (char c = 0; c >= 0 && c < 127; ++c) all += c;
  rapidjson::Document document;
  document.Parse(json_string(all).c_str());
  REQUIRE_FALSE(document.HasParseError());
  CHECK(std::string(document.GetString(), document.GetStringLength()) == all);
}

TEST_CASE("Only JSON's four white space bytes are skipped") {
  CHECK(skip_space(" \t\r\n x", 0) == 5);
  CHECK(skip_space("x", 0) == 0);
  CHECK(skip_space("  ", 0) == 2);
  CHECK(skip_space("", 0) == 0);
  CHECK(skip_space("ab  c", 2) == 4);
  CHECK(skip_space("\v\f", 0) == 0);
  CHECK(skip_space("ab", 5) == 5);
}

}  // namespace
}  // namespace syncrelay
