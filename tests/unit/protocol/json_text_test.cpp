#include "syncrelay/protocol/json_text.h"

#include <doctest/doctest.h>
#include <rapidjson/document.h>

#include <initializer_list>
#include <utility>

namespace syncrelay {
namespace {

std::string json_string(std::string_view text) {
  std::string out;
  append_json_string(out, text);
  return out;
}

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

TEST_CASE("Numbers are made small without moving anything") {
  for (const auto& [json, small] : std::initializer_list<std::pair<const char*, const char*>>{
           {"123", "1.0"},
           {"12", "12"},
           {"0", "0"},
           {"-98765", "-9.000"},
           {"123.456e78", "1.00000e00"},
           {"1.5E+400", "1.5E+000"},
           {"1e-9", "1e-0"},
           {R"([1000,"1000\\\"1000",{"1000":1000}])", R"([1.00,"1000\\\"1000",{"1000":1.00}])"}}) {
    CHECK(with_small_numbers(json) == small);
  }
}

TEST_CASE("What is no number does not become one by being made small") {
  for (const auto& [json, small] :
       std::initializer_list<std::pair<const char*, const char*>>{{"0123", "01.0"},
                                                                  {"1000.", "1.00."},
                                                                  {"1000e", "1.00e"},
                                                                  {"1000e+", "1.00e+"},
                                                                  {"1000.e5", "1.00.e5"},
                                                                  {"-", "-"},
                                                                  {"1..5", "1..5"},
                                                                  {"\"1000", "\"1000"},
                                                                  {"\"1000\\", "\"1000\\"},
                                                                  {"", ""}}) {
    CHECK(with_small_numbers(json) == small);
  }
}

TEST_CASE("JSON is told from what is none") {
  for (const char* json : {"null", " [1, 2] ", "1e999999", R"({"a":{"b":"\u00e9"}})", "\"é\""})
    CHECK_MESSAGE(is_json(json), json);
  for (const char* other : {"", " ", "nul", "{", "[1,]", "1 2", "\"\xff\"", "{\"a\" 1}", "\"open"})
    CHECK_MESSAGE(!is_json(other), other);
  CHECK_FALSE(is_json(std::string_view("1\0", 2)));
}

}  // namespace
}  // namespace syncrelay
