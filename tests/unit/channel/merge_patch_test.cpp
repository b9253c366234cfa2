#include "syncrelay/channel/merge_patch.h"

#include <doctest/doctest.h>
#include <rapidjson/document.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include "support/choices.h"
#include "syncrelay/protocol/limits.h"

namespace syncrelay {
namespace {

std::string repeated(std::string_view text, std::size_t count) {
  std::string out;
  for (; count > 0; --count) out += text;
  return out;
}

TEST_CASE("The examples of RFC 7396 appendix A") {
  struct Example {
    const char* target;
    const char* patch;
    const char* result;
  };
  for (const Example& example : std::initializer_list<Example>{
           {R"({"a":"b"})", R"({"a":"c"})", R"({"a":"c"})"},
           {R"({"a":"b"})", R"({"b":"c"})", R"({"a":"b","b":"c"})"},
           {R"({"a":"b"})", R"({"a":null})", "{}"},
           {R"({"a":"b","b":"c"})", R"({"a":null})", R"({"b":"c"})"},
           {R"({"a":["b"]})", R"({"a":"c"})", R"({"a":"c"})"},
           {R"({"a":"c"})", R"({"a":["b"]})", R"({"a":["b"]})"},
           {R"({"a":{"b":"c"}})", R"({"a":{"b":"d","c":null}})", R"({"a":{"b":"d"}})"},
           {R"({"a":[{"b":"c"}]})", R"({"a":[1]})", R"({"a":[1]})"},
           {R"(["a","b"])", R"(["c","d"])", R"(["c","d"])"},
           {R"({"a":"b"})", R"(["c"])", R"(["c"])"},
           {R"({"a":"foo"})", "null", "null"},
           {R"({"a":"foo"})", R"("bar")", R"("bar")"},
           {R"({"e":null})", R"({"a":1})", R"({"e":null,"a":1})"},
           {"[1,2]", R"({"a":"b","c":null})", R"({"a":"b"})"},
           {"{}", R"({"a":{"bb":{"ccc":null}}})", R"({"a":{"bb":{}}})"},
       }) {
    CAPTURE(example.target);
    CAPTURE(example.patch);
    CHECK(merge_patch(example.target, example.patch) == example.result);
  }
}

TEST_CASE("What the patch does not touch keeps its bytes and its place") {
  CHECK(
      merge_patch(
          R"({ "z" : 1.50 , "big":123456789012345678901234567890, "e":1E+400,"s":"\u00e9\/","o":{ "x" : [ 1 , 2 ] } })",
          R"({"new":1})") ==
      R"({"z":1.50,"big":123456789012345678901234567890,"e":1E+400,"s":"\u00e9\/","o":{ "x" : [ 1 , 2 ] },"new":1})");
}

TEST_CASE("What the patch brings keeps its bytes") {
  CHECK(merge_patch("{}", R"( { "a" : 1.0 , "b" : [ null , {"c":null} ] , "\u0063" : "\/" } )") ==
        R"({"a":1.0,"b":[ null , {"c":null} ],"\u0063":"\/"})");
  CHECK(merge_patch("1", " 2.50 ") == "2.50");
}

TEST_CASE("Names are compared unescaped and kept as the target wrote them") {
  CHECK(merge_patch(R"({"\u00e9":1,"x":2})", R"({"é":3})") == R"({"\u00e9":3,"x":2})");
  CHECK(merge_patch(R"({"é":1})", R"({"\u00e9":null})") == "{}");
  CHECK(merge_patch(R"({"\ud83c\udfb5":1})", R"({"🎵":2})") == R"({"\ud83c\udfb5":2})");
  CHECK(merge_patch(R"({"a\"b":1})", R"({"a\u0022b":2})") == R"({"a\"b":2})");
  CHECK(merge_patch(R"({"a\\":{"b":1}})", R"({"a\\":{"b":null}})") == R"({"a\\":{}})");
  CHECK(merge_patch(R"({"nul\u0000a":1,"nul\u0000b":2})", R"({"nul\u0000b":null})") ==
        R"({"nul\u0000a":1})");
}

TEST_CASE("An empty name is a name") {
  CHECK(merge_patch(R"({"":1,"a":2})", R"({"":3})") == R"({"":3,"a":2})");
  CHECK(merge_patch(R"({"a":{"":1}})", R"({"a":{"":null}})") == R"({"a":{}})");
  CHECK(merge_patch("{}", R"({"":{"":1}})") == R"({"":{"":1}})");
}

TEST_CASE("Where a name stands twice the last counts, on both sides") {
  CHECK(merge_patch(R"({"a":1,"b":2,"a":3})", R"({"c":4})") == R"({"b":2,"a":3,"c":4})");
  CHECK(merge_patch(R"({"a":1})", R"({"a":2,"a":3})") == R"({"a":3})");
  CHECK(merge_patch(R"({"a":1})", R"({"a":2,"a":null})") == "{}");
  CHECK(merge_patch("{}", R"({"a":null,"a":5,"\u0061":6})") == R"({"\u0061":6})");
  CHECK(merge_patch(R"({"a":{"x":1},"a":{"y":2}})", R"({"a":{"z":3}})") ==
        R"({"a":{"y":2,"z":3}})");
}

TEST_CASE("Nulls in a patch vanish also where the target has no object") {
  CHECK(merge_patch("null", R"({"a":{"b":null,"c":{"d":null}},"e":null})") == R"({"a":{"c":{}}})");
  CHECK(merge_patch(R"({"a":[1]})", R"({"a":{"b":null}})") == R"({"a":{}})");
}

TEST_CASE("Quotes and brackets in strings confuse nothing") {
  CHECK(merge_patch(R"({"a":"}\"{","b":["]\"",{"c":"\\"}],"d":1})", R"({"d":2})") ==
        R"({"a":"}\"{","b":["]\"",{"c":"\\"}],"d":2})");
}

TEST_CASE("Objects may be as deep as a command allows") {
  const std::size_t levels = kMaxNesting;
  const std::string deep = repeated(R"({"a":)", levels) + "1" + repeated("}", levels);
  const std::string other =
      repeated(R"({"a":)", levels - 1) + R"({"b":2})" + repeated("}", levels - 1);
  CHECK(merge_patch(deep, other) ==
        repeated(R"({"a":)", levels - 1) + R"({"a":1,"b":2})" + repeated("}", levels - 1));
  CHECK(merge_patch("null", deep) == deep);
  const std::string arrays = repeated("[", levels) + repeated("]", levels);
  CHECK(merge_patch(R"({"k":1})", R"({"k":)" + arrays + "}") == R"({"k":)" + arrays + "}");
}

TEST_CASE("Many members take no time that grows with their square") {
  std::string target = "{";
  std::string patch = "{";
  for (int number = 0; number < 100'000; ++number) {
    target += (number > 0 ? ",\"" : "\"") + std::to_string(number) + "\":1";
    patch += (number > 0 ? ",\"" : "\"") + std::to_string(number + 50'000) + "\":null";
  }
  const std::string merged = merge_patch(target + "}", patch + "}").value_or("");
  CHECK(merged.size() > 400'000);
  CHECK(merged.find("\"49999\":1}") == merged.size() - 10);
}

// MergePatch() of RFC 7396 section 2, word for word, on parsed documents.
void merge_into(rapidjson::Value& target, const rapidjson::Value& patch,
                rapidjson::Document::AllocatorType& allocator) {
  if (!patch.IsObject()) {
    target.CopyFrom(patch, allocator);
    return;
  }
  if (!target.IsObject()) target.SetObject();
  for (const auto& member : patch.GetObject()) {
    if (member.value.IsNull()) {
      target.RemoveMember(member.name);
      continue;
    }
    if (!target.HasMember(member.name)) {
      target.AddMember(rapidjson::Value(member.name, allocator), rapidjson::Value(), allocator);
    }
    merge_into(target[member.name], member.value, allocator);
  }
}

std::string model_merge(const std::string& target, const std::string& patch) {
  rapidjson::Document target_document;
  rapidjson::Document patch_document;
  target_document.Parse(target.c_str());
  patch_document.Parse(patch.c_str());
  merge_into(target_document, patch_document, target_document.GetAllocator());
  rapidjson::StringBuffer buffer;
  rapidjson::Writer<rapidjson::StringBuffer> writer(buffer);
  target_document.Accept(writer);
  return buffer.GetString();
}

bool same_value(const std::string& left, const std::string& right) {
  rapidjson::Document left_document;
  rapidjson::Document right_document;
  left_document.Parse(left.c_str());
  right_document.Parse(right.c_str());
  return !left_document.HasParseError() && left_document == right_document;
}

// A random value; names repeat between values so that patches hit, never within one object.
std::string random_json(testing::Choices& choices, int depth) {
  static constexpr const char* kScalars[] = {
      "null", "null", "1.50", "true", "\"s\"", "\"{\\\"\"", "-0", "[]", "[null,{\"a\":null}]"};
  if (depth == 0 || choices.one_in(3)) return kScalars[choices.below(9)];
  static constexpr const char* kNames[] = {"a", "b", "\\u0063", "", "\xc3\xa9", "a\\\"b"};
  std::string out = "{";
  for (const char* name : kNames) {
    if (!choices.one_in(2)) continue;
    if (out.size() > 1) out += choices.one_in(2) ? "," : " ,\n";
    out += '"' + std::string(name) + (choices.one_in(2) ? "\":" : "\" : ") +
           random_json(choices, depth - 1);
  }
  return out + "}";
}

TEST_CASE("Random patches give what the pseudocode of the RFC gives") {
  testing::SeededChoices choices(7396);
  for (int round = 0; round < 3000; ++round) {
    const std::string target = random_json(choices, 4);
    const std::string patch = random_json(choices, 4);
    CAPTURE(target);
    CAPTURE(patch);
    const std::string merged = merge_patch(target, patch).value_or("not merged");
    CAPTURE(merged);
    REQUIRE(same_value(merged, model_merge(target, patch)));
    REQUIRE(merge_patch(merged, patch) == merged);  // a patch applied twice changes nothing more
  }
}

TEST_CASE("What is no JSON is merged with nothing") {
  for (const char* text : {"", "{", "{\"a\":", "nul", "[1,", "{\"a\":1}}", "\x01", "1 2", "}"}) {
    CAPTURE(text);
    CHECK_FALSE(merge_patch(text, R"({"a":1})").has_value());
    CHECK_FALSE(merge_patch(R"({"a":1})", text).has_value());
  }
}

}  // namespace
}  // namespace syncrelay
