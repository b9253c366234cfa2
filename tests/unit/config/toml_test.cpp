#include "syncrelay/config/toml.h"

#include <doctest/doctest.h>

namespace syncrelay::config {
namespace {

// The one value of `v = <text>`, or the reason why there is none.
std::string read_value(const std::string& text) {
  const auto entries = parse_toml("v = " + text);
  if (!entries) return "error: " + entries.error().reason;
  return entries.value().front().values.front().text;
}

bool is_refused(const std::string& text) {
  return !parse_toml(text).ok();
}

std::size_t error_line(const std::string& text) {
  const auto entries = parse_toml(text);
  return entries ? 0 : entries.error().line;
}

TEST_CASE("An empty file has no entries") {
  for (const char* text : {"", "\n", "# only a comment", " \t\r\n# a\n\n", "\xef\xbb\xbf"}) {
    const auto entries = parse_toml(text);
    REQUIRE(entries.ok());
    CHECK(entries.value().empty());
  }
}

TEST_CASE("Entries come in order with their lines") {
  const auto entries = parse_toml("# first\na = 1 # one\r\n\n\"b\" = 'x'\n'c'=true");
  REQUIRE(entries.ok());
  REQUIRE(entries.value().size() == 3);
  CHECK(entries.value()[0].key == "a");
  CHECK(entries.value()[0].line == 2);
  CHECK(entries.value()[0].values[0].type == TomlType::integer);
  CHECK(entries.value()[1].key == "b");
  CHECK(entries.value()[1].line == 4);
  CHECK(entries.value()[1].values[0].type == TomlType::string);
  CHECK(entries.value()[2].key == "c");
  CHECK(entries.value()[2].values[0].type == TomlType::boolean);
}

TEST_CASE("Strings are read with their escapes, literal strings as they are") {
  CHECK(read_value(R"("a # b")") == "a # b");
  CHECK(read_value(R"("\b\t\n\f\r\"\\")") == "\b\t\n\f\r\"\\");
  CHECK(read_value(R"("\u0041\u00e9\u20ac\U0001F3B5")") == "A\xc3\xa9\xe2\x82\xac\xf0\x9f\x8e\xb5");
  CHECK(read_value(R"('a\n"b')") == "a\\n\"b");
  CHECK(read_value(R"("")").empty());
  CHECK(read_value("''").empty());
}

TEST_CASE("Integers may have underscores between digits, a sign, or be octal") {
  CHECK(read_value("16_777_216") == "16777216");
  CHECK(read_value("+5") == "5");
  CHECK(read_value("-5") == "-5");
  CHECK(read_value("0") == "0");
  CHECK(read_value("0o660") == "0o660");
}

TEST_CASE("What is no value is refused") {
  for (const char* text : {"", "abc", "0660", "1__0", "_1", "1_", "0x10", "0o8", "1.5", "1e3", "+",
                           "True", "1979-05-27", "{a = 1}", "1 2", "\"a\" b", "1 = 2"}) {
    CAPTURE(text);
    CHECK(is_refused("v = " + std::string(text)));
  }
}

TEST_CASE("Broken strings are refused") {
  for (const char* text : {"\"a", "'a", "\"a\nb\"", R"("\x")", R"("\u12")", R"("\ud800")",
                           R"("\U00110000")", R"("a\")", "\"\"\"a\"\"\"", "'''a'''", "\"\x01\""}) {
    CAPTURE(text);
    CHECK(is_refused("v = " + std::string(text)));
  }
}

TEST_CASE("Lists may span lines, hold comments and end in a comma") {
  const auto entries = parse_toml("v = [ 'a', # one\n\n  \"b\",\n 3 , ]\nw = []\n");
  REQUIRE(entries.ok());
  REQUIRE(entries.value().size() == 2);
  const TomlEntry& list = entries.value()[0];
  CHECK(list.is_array);
  REQUIRE(list.values.size() == 3);
  CHECK(list.values[1].text == "b");
  CHECK(list.values[2].type == TomlType::integer);
  CHECK(entries.value()[1].values.empty());
  CHECK(entries.value()[1].line == 5);
}

TEST_CASE("Broken lists are refused") {
  for (const char* text : {"[", "[1", "[1,", "[1 2]", "[,]", "[[1]]", "[1]]", "[1\n", "[1, # ]"}) {
    CAPTURE(text);
    CHECK(is_refused("v = " + std::string(text)));
  }
}

TEST_CASE("Broken keys, tables and dotted keys are refused") {
  for (const char* text :
       {"= 1", "a", "a b = 1", "a\n= 1", "[table]", "a.b = 1", "\"a = 1", "!=1"}) {
    CAPTURE(text);
    CHECK(is_refused(text));
  }
}

TEST_CASE("A key that comes twice is refused where it comes again") {
  CHECK(error_line("a = 1\nb = 2\na = 3") == 3);
  CHECK(error_line("a = 1\n\"a\" = 2") == 2);
}

TEST_CASE("Errors name the line where reading stopped") {
  CHECK(error_line("a = 1\nb = x") == 2);
  CHECK(error_line("a = [\n1,\n?]") == 3);
  CHECK(error_line("a = 1\nb = \"\xff\"") == 2);
  CHECK(error_line("a = 1\nb = 2\n# \x01") == 3);
  CHECK(error_line("a = 1\rb = 2") == 1);
}

TEST_CASE("A zero byte is refused, not taken for the end") {
  CHECK(is_refused(std::string("a = 1\0", 6)));
  CHECK(is_refused(std::string("a = \"\0\"", 7)));
}

}  // namespace
}  // namespace syncrelay::config
