#include "syncrelay/json/json_walk.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace syncrelay {
namespace {

using Kind = JsonFault::Kind;
using Step = JsonVisitor::Step;

// Writes down what it hears, with the bytes that the offsets point to.
class Scribe final : public JsonVisitor {
 public:
  explicit Scribe(std::string_view json) : json_(json) {}

  std::vector<std::string> heard;
  std::string over;  // an object or array that begins so is passed over
  std::string stop;  // where a name or value that is this is the last

  void begin() override { heard.assign(1, "begin"); }
  bool name(const JsonToken& token) override { return hear("name ", token); }
  bool scalar(JsonKind, const JsonToken& token) override { return hear("", token); }
  Step open(JsonKind kind, std::size_t begin) override {
    heard.push_back(kind == JsonKind::object ? "object" : "array");
    begins_.push_back(begin);
    return !over.empty() && json_.substr(begin).starts_with(over) ? Step::over : Step::into;
  }
  bool close(std::size_t end) override {
    heard.push_back("end of " + std::string(json_.substr(begins_.back(), end - begins_.back())));
    begins_.pop_back();
    return true;
  }

 private:
  bool hear(const std::string& what, const JsonToken& token) {
    const std::string text(json_.substr(token.begin, token.end - token.begin));
    heard.push_back(what + text);
    return stop.empty() || text != stop;
  }

  std::string_view json_;
  std::vector<std::size_t> begins_;
};

using Heard = std::vector<std::string>;

Heard heard_of(std::string_view json, const std::string& over = "") {
  Scribe scribe(json);
  scribe.over = over;
  CHECK_FALSE(JsonWalk().visit(json, scribe));
  return scribe.heard;
}

JsonFault fault_of(std::string_view json, std::size_t max_depth = JsonWalk::kAnyDepth) {
  Scribe scribe(json);
  const auto fault = JsonWalk(max_depth).visit(json, scribe);
  REQUIRE_MESSAGE(fault, std::string(json));
  return *fault;
}

TEST_CASE("Every part is told in the order of the text, byte for byte") {
  CHECK(heard_of(" { \"a\" :\t1.50 , \"b\\u00e9\":[ null,\"x\" ]} \n") ==
        Heard{"begin", "object", "name \"a\"", "1.50", "name \"b\\u00e9\"", "array", "null",
              "\"x\"", "end of [ null,\"x\" ]",
              "end of { \"a\" :\t1.50 , \"b\\u00e9\":[ null,\"x\" ]}"});
  CHECK(heard_of(" true ") == Heard{"begin", "true"});
  CHECK(heard_of("[[],{},[0]]") == Heard{"begin", "array", "array", "end of []", "object",
                                         "end of {}", "array", "0", "end of [0]",
                                         "end of [[],{},[0]]"});
}

TEST_CASE("What the visitor passes over is told by its end alone") {
  CHECK(heard_of(R"({"a":[1,[2],{"b":[3]}],"c":[4]})", "[1") ==
        Heard{"begin", "object", "name \"a\"", "array", R"(end of [1,[2],{"b":[3]}])", "name \"c\"",
              "array", "4", "end of [4]", R"(end of {"a":[1,[2],{"b":[3]}],"c":[4]})"});
  CHECK(heard_of("[[[]]]", "[[[]]]") == Heard{"begin", "array", "end of [[[]]]"});
}

TEST_CASE("A number may be larger than any double, and is told as it stands") {
  const std::string digits(400, '7');
  CHECK(heard_of("[1e400, -1E+99999, " + digits + " ]") ==
        Heard{"begin", "array", "1e400", "-1E+99999", digits,
              "end of [1e400, -1E+99999, " + digits + " ]"});
}

TEST_CASE("What was heard before a walk began anew is void") {
  Scribe scribe(R"(["a",1e400])");
  CHECK_FALSE(JsonWalk().visit(R"(["a",1e400])", scribe));
  CHECK(scribe.heard == Heard{"begin", "array", "\"a\"", "1e400", R"(end of ["a",1e400])"});
}

TEST_CASE("Strings come with their escapes resolved") {
  class Contents final : public JsonVisitor {
   public:
    std::vector<std::string> all;
    void begin() override {}
    bool name(const JsonToken& token) override { return hear(token); }
    bool scalar(JsonKind, const JsonToken& token) override { return hear(token); }
    Step open(JsonKind, std::size_t) override { return Step::into; }
    bool close(std::size_t) override { return true; }

   private:
    bool hear(const JsonToken& token) {
      all.emplace_back(token.content);
      return true;
    }
  } contents;
  CHECK_FALSE(JsonWalk().visit(R"({"\u00e9":"\ud83c\udfb5\/","n":7})", contents));
  CHECK(contents.all == std::vector<std::string>{"é", "🎵/", "n", ""});
}

TEST_CASE("A visitor ends the walk where it has heard enough") {
  Scribe scribe(R"({"a":1,"b":2,)");
  scribe.stop = "1";
  const auto fault = JsonWalk().visit(R"({"a":1,"b":2,)", scribe);
  REQUIRE(fault);
  CHECK(fault->kind == Kind::stopped);
  CHECK(scribe.heard == Heard{"begin", "object", "name \"a\"", "1"});
}

TEST_CASE("A fault has its kind and its byte") {
  const auto check = [](Kind kind, std::size_t offset, std::string_view json) {
    CAPTURE(std::string(json));
    const JsonFault fault = fault_of(json);
    CHECK(fault.kind == kind);
    CHECK(fault.offset == offset);
    CHECK_FALSE(fault.reason.empty());
  };
  check(Kind::syntax, 0, "");
  check(Kind::syntax, 3, "[1,]");
  check(Kind::syntax, 7, "[1e400,]");
  check(Kind::trailing, 2, "1 2");
  check(Kind::trailing, 1, std::string_view("1\0", 2));
  check(Kind::syntax, 1, std::string_view("[\0]", 3));
  check(Kind::not_a_number, 1, "[NaN]");
  check(Kind::not_a_number, 1, "[-Infinity]");
  check(Kind::not_utf8, 2, "\"a\xff\"");
  check(Kind::lone_surrogate, 1, R"("\ud800")");
  check(Kind::lone_surrogate, 3, R"([["\udc00"]])");
  check(Kind::lone_surrogate, 2, R"({"\udc00":1})");
}

TEST_CASE("Nesting is limited where a limit is given, and costs no stack") {
  const std::string deep = std::string(100'000, '[') + std::string(100'000, ']');
  Scribe scribe(deep);
  scribe.over = "[";
  CHECK_FALSE(JsonWalk().visit(deep, scribe));
  Scribe two("[[1]]");
  CHECK_FALSE(JsonWalk(2).visit("[[1]]", two));
  const JsonFault fault = fault_of("[[[1]]]", 2);
  CHECK(fault.kind == Kind::too_deep);
  CHECK(fault.offset == 2);
  CHECK(fault.reason == "nested deeper than 2 levels");
  Scribe passing("[[[1]]]");
  passing.over = "[[[";
  CHECK(JsonWalk(2).visit("[[[1]]]", passing));
}

TEST_CASE("A walk can be taken again after a fault") {
  JsonWalk walk;
  for (int round = 0; round < 3; ++round) {
    Scribe bad("[1,{\"a\":");
    CHECK(walk.visit("[1,{\"a\":", bad));
    Scribe good("[2]");
    CHECK_FALSE(walk.visit("[2]", good));
    CHECK(good.heard == Heard{"begin", "array", "2", "end of [2]"});
  }
}

}  // namespace
}  // namespace syncrelay
