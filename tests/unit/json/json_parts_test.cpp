#include "syncrelay/json/json_parts.h"

#include <doctest/doctest.h>

namespace syncrelay {
namespace {

std::vector<std::string> values_of(std::string_view json) {
  std::vector<std::string> values;
  for (const JsonPart& part : json_parts(json)) values.emplace_back(part.value);
  return values;
}

TEST_CASE("Brackets and quotes within strings end nothing") {
  CHECK(values_of(R"({"a":"}\"]","b":["\\",{"c":"["}],"d":1})") ==
        std::vector<std::string>{R"("}\"]")", R"(["\\",{"c":"["}])", "1"});
}

TEST_CASE("An array's elements are parts without names") {
  CHECK(values_of(R"([ {"a":1} , null,[] ])") ==
        std::vector<std::string>{R"({"a":1})", "null", "[]"});
  CHECK(json_parts("[1]").front().name.empty());
  CHECK(json_parts("[]").empty());
  CHECK(json_parts("{}").empty());
  CHECK(json_parts("7").empty());
}

TEST_CASE("A member is found by its name, whatever stands within others") {
  const char* json = R"({"data":{"seq":1},"text":"\"seq\":2","seq":3})";
  CHECK(json_member(json, "seq") == "3");
  CHECK(json_member(json, "none").empty());
}

TEST_CASE("Text that is cut off anywhere is taken apart without reading past its end") {
  const std::string json = R"({"a":[1,{"b":"x\"y"}],"c":null})";
  for (std::size_t size = 0; size < json.size(); ++size) {
    const std::string cut = json.substr(0, size);
    CHECK(json_parts(cut).size() <= 3);
    CHECK(json_fault(cut));
  }
}

TEST_CASE("Parts may be numbers that no double holds") {
  CHECK(values_of("[1e400,2]") == std::vector<std::string>{"1e400", "2"});
  CHECK(json_member(R"({"a":-1e999,"b":3})", "b") == "3");
  CHECK(json_member(R"({"a":-1e999,"b":3})", "a") == "-1e999");
}

TEST_CASE("JSON is told from what is none, and a fault says where it is") {
  for (const char* json : {"null", " [1, 2] ", "1e999999", R"({"a":{"b":"\u00e9"}})", "\"é\""})
    CHECK_MESSAGE(!json_fault(json), json);
  CHECK(json_fault(std::string_view("1\0", 2)));
  CHECK(json_fault("[1,]")->offset == 3);
  CHECK(json_fault("1 2")->offset == 2);
  for (const char* text : {"", " ", "nul", "\"open", "NaN", "{a:1}", "'a'", "\"\xff\"",
                           "\"\\ud800\"", "\"\\udc00\"", "[1"}) {
    CAPTURE(text);
    CHECK(json_fault(text));
  }
}

TEST_CASE("Deep nesting is no danger") {
  const std::string deep = std::string(100'000, '[') + std::string(100'000, ']');
  CHECK_FALSE(json_fault(deep));
  CHECK(json_parts(deep).size() == 1);
}

TEST_CASE("A string's escapes can be resolved") {
  CHECK(decoded_json_string(R"("a\"b\u00e9\n")") == "a\"b\xc3\xa9\n");
  CHECK(decoded_json_string("7").empty());
  CHECK(without_quotes("\"a\"") == "a");
  CHECK(without_quotes("7") == "7");
}

}  // namespace
}  // namespace syncrelay
