#include "syncrelay/door/posted.h"

#include <doctest/doctest.h>

#include <optional>
#include <string>

#include "syncrelay/json/json_parts.h"

namespace syncrelay {
namespace {

const std::string kA = R"({"op":"set","key":"a","value":1})";
const std::string kB = R"({"op":"set","key":"b","value":{"offset":7}})";

std::string text_of(const std::string& body, bool as_lines = false,
                    std::optional<std::string_view> id = {}) {
  return Posted::read(body, as_lines, id).text();
}

TEST_CASE("One command is handed on as it came, in however many lines") {
  for (const std::string& body : {kA, kA + "\n", "\n" + kA, std::string("{\n \"op\": 1\n}\n"),
                                  std::string("nonsense\n"), std::string()})
    CHECK(text_of(body) == body);
}

TEST_CASE("Several lines become one batch") {
  const std::string batch = R"({"op":"batch","commands":[)" + kA + ',' + kB + "]}";
  CHECK(text_of(kA + "\n" + kB) == batch);
  CHECK(text_of(kA + "\n\n  \n" + kB + "\n") == batch);
  CHECK(text_of(kA + '\n' + kB, false, "x\"") ==
        R"({"op":"batch","id":"x\"","commands":[)" + kA + ',' + kB + "]}");
  CHECK(text_of(kA, true) == R"({"op":"batch","commands":[)" + kA + "]}");
  CHECK(text_of("\n", true) == R"({"op":"batch","commands":[]})");
}

TEST_CASE("The id of the URL is that of a single command, too") {
  CHECK(text_of(R"({"op":"barrier"})", false, "x\"") == R"({"id":"x\"","op":"barrier"})");
  CHECK(text_of(" {\n\"op\":1}", false, "") == " {\"id\":\"\",\n\"op\":1}");
  CHECK(text_of("{ }", false, "x") == R"({"id":"x" })");
  CHECK(text_of("nonsense", false, "x") == "nonsense");
}

TEST_CASE("What is added to the body counts in no offset") {
  const auto told = [](const std::string& body, bool as_lines, std::size_t offset) {
    const std::string answer =
        Posted::read(body, as_lines, "four")
            .told(R"({"ok":false,"error":{"code":"x","offset":)" + std::to_string(offset) + "}}");
    return std::string(json_member(json_member(answer, "error"), "offset"));
  };
  const std::size_t added = std::string_view(R"("id":"four",)").size();
  CHECK(told(kA, false, 0) == "0");
  CHECK(told(kA, false, 5) == "1");
  CHECK(told(kA, false, added + 9) == "9");
  CHECK(told("", true, 30) == "0");
  CHECK(told(kA + "\n" + kB, false, 19) == "0");
}

TEST_CASE("A line that is no object is what the relay gets to see") {
  CHECK(text_of(kA + "\n[1]\n" + kB) == "[1]");
  CHECK(text_of(kA + "\n" + kA + "," + kA) == kA + "," + kA);
  CHECK(text_of(kA + "\n" + kA + R"(],"id":"x")") == kA + R"(],"id":"x")");
}

TEST_CASE("A refusal names the line, and its place in the body") {
  const std::string body = kA + "\n\n" + kB;
  const Posted posted = Posted::read(body, false, {});
  const std::size_t at = posted.text().rfind("value");
  const std::string refusal =
      R"({"ok":false,"error":{"code":"x","message":"\"offset\":3","offset":)" + std::to_string(at) +
      R"(,"current":{"a":{"value":{,"index":9}}},"index":1}})";
  const std::string told = posted.told(refusal);
  CHECK(told.find(R"("offset":)" + std::to_string(body.rfind("value")) + ',') != std::string::npos);
  CHECK(told.ends_with(R"("index":1,"line":3}})"));
}

TEST_CASE("What is not about a line is told as it is") {
  const std::string ok = R"({"ok":true,"versions":{"offset":18}})";
  const std::string whole =
      R"({"ok":false,"error":{"code":"storage_full","message":"","offset":0}})";
  CHECK(Posted::read(kA + "\n" + kB, false, {}).told(ok) == ok);
  CHECK(Posted::read(kA + "\n" + kB, false, {}).told(whole) == whole);
  CHECK(Posted::read(kA, false, {}).told(whole) == whole);
}

TEST_CASE("A line that was handed on alone is named, too") {
  const std::string body = kA + "\n[1]\n";
  const std::string refusal =
      R"({"ok":false,"error":{"code":"not_an_object","message":"","offset":0}})";
  CHECK(Posted::read(body, false, {}).told(refusal) ==
        R"({"ok":false,"error":{"code":"not_an_object","message":"","offset":)" +
            std::to_string(kA.size() + 1) + R"(,"line":2}})");
}

}  // namespace
}  // namespace syncrelay
