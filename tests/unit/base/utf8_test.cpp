#include "syncrelay/base/utf8.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>

#include <string>
#include <string_view>

namespace syncrelay {
namespace {

using namespace std::literals;

TEST_CASE("What RFC 3629 allows is UTF-8") {
  for (const std::string_view text : {""sv, "plain"sv, "\0"sv, "\x7f"sv, "\u0080\u07ff"sv,
                                      "\u0800\uD7FF\uE000\uffff"sv, "\U00010000\U0010ffff"sv}) {
    CHECK(is_valid_utf8(text));
  }
}

TEST_CASE("Overlong forms, surrogates, what lies above U+10FFFF and stray bytes are not") {
  for (const std::string_view text :
       {"\x80"sv, "\xc0\x80"sv, "\xc1\xbf"sv, "\xe0\x9f\xbf"sv, "\xed\xa0\x80"sv, "\xed\xbf\xbf"sv,
        "\xf0\x8f\xbf\xbf"sv, "\xf4\x90\x80\x80"sv, "\xf5\x80\x80\x80"sv, "\xff"sv, "\xc3("sv,
        "a\xe2\x82"sv, "\xe2\x82\xac\x80"sv}) {
    CAPTURE(text.size());
    CHECK_FALSE(is_valid_utf8(text));
  }
}

TEST_CASE("Text may be cut anywhere, also inside a character") {
  const std::string text = "a\u00e9\u20ac\U0001f600z";
  for (std::size_t cut = 0; cut <= text.size(); ++cut) {
    Utf8Check check;
    CHECK(check.add(std::string_view(text).substr(0, cut)));
    CHECK(check.add(std::string_view(text).substr(cut)));
    CHECK(check.complete());
  }
}

TEST_CASE("A character that is cut off is neither wrong nor complete") {
  Utf8Check check;
  CHECK(check.add("\xf0\x9f\x98"));
  CHECK_FALSE(check.complete());
}

TEST_CASE("Text is cut between characters, whatever stands at the cut") {
  const std::string names[] = {"\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x98\x80", "a"};
  for (const std::string& character : names) {
    for (std::size_t offset = 0; offset < 4; ++offset) {
      std::string text(offset, 'x');
      while (text.size() < 40) text += character;
      for (std::size_t size = 0; size <= text.size() + 1; ++size) {
        const std::string_view cut = cut_at_character(text, size);
        CHECK(is_valid_utf8(cut));
        CHECK(cut.size() <= size);
        CHECK(cut.size() + 3 >= std::min(size, text.size()));
      }
    }
  }
  CHECK(cut_at_character(std::string(20, '\x80'), 10).size() == 10);
}

TEST_CASE("What is not UTF-8 becomes so, and what is stays as it is") {
  CHECK(as_utf8("na\xc3\xafve \xf0\x9f\x98\x80") == "na\xc3\xafve \xf0\x9f\x98\x80");
  CHECK(as_utf8("a\xff\xc3") == "a\xef\xbf\xbd\xef\xbf\xbd");
  CHECK(is_valid_utf8(as_utf8("\xed\xa0\x80\xe2\x82")));
}

}  // namespace
}  // namespace syncrelay
