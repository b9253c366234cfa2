#include "syncrelay/cli/json_printer.h"

#include <doctest/doctest.h>

namespace syncrelay {
namespace {

TEST_CASE("JSON for a person has a line for each part, and keeps digits and escapes") {
  CHECK(print_json(R"({"a":[1.50,"\u00e9"],"b":{},"c":[]})", {true, false}) ==
        R"({
  "a": [
    1.50,
    "\u00e9"
  ],
  "b": {},
  "c": []
})");
}

TEST_CASE("Or stands on one line") {
  CHECK(print_json("{\"a\" :\n[ 1,2 ],\"b\":{ }}", {}) == R"({"a": [1, 2], "b": {}})");
  CHECK(print_json("null", {}) == "null");
}

TEST_CASE("Names, text, numbers and words have colors of their own, brackets none") {
  CHECK(print_json(R"({"a":"b","c":[1,true,null]})", {false, true}) ==
        "{\x1b[34m\"a\"\x1b[0m: \x1b[32m\"b\"\x1b[0m, \x1b[34m\"c\"\x1b[0m: [\x1b[33m1\x1b[0m, "
        "\x1b[36mtrue\x1b[0m, \x1b[2mnull\x1b[0m]}");
}

TEST_CASE("What would command a terminal shows as an escape") {
  CHECK(printable("a\x1b[2J\x7f") == "a\\u001b[2J\\u007f");
  CHECK(printable("\xc2\x9b"
                  "31m") == "\\u009b31m");
  CHECK(printable("\xe2\x80\xae"
                  "abc\xe2\x81\xa6") == "\\u202eabc\\u2066");
  CHECK(print_json("\"\xc2\x9b\"", {}) == "\"\\u009b\"");
}

TEST_CASE("Other text shows as it is") {
  const std::string text = "caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x8e\xb5 \xc2\xa0";
  CHECK(printable(text) == text);
}

TEST_CASE("Text that ends within a character is not read past its end") {
  for (const char* text : {"\xc2", "\xe2\x80", "\xf0\x9f"}) CHECK(printable(text) == text);
}

TEST_CASE("JSON for a program stands on one line") {
  CHECK(on_a_single_line("{\n\"a\":\r\n1}") == "{ \"a\":  1}");
}

}  // namespace
}  // namespace syncrelay
