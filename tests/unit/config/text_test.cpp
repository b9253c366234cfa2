#include "syncrelay/config/text.h"

#include <doctest/doctest.h>

namespace syncrelay::config {
namespace {

TEST_CASE("UTF-8 of every length is recognised") {
  for (const char* text : {"", "a", "\xc2\x80", "\xe0\xa0\x80", "\xed\x9f\xbf", "\xef\xbf\xbf",
                           "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf"}) {
    CHECK(is_utf8(text));
  }
}

TEST_CASE("Overlong forms, surrogates, code points too large and cut characters are no UTF-8") {
  for (const char* text : {"\x80", "\xc0\x80", "\xc1\xbf", "\xe0\x9f\xbf", "\xed\xa0\x80",
                           "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff",
                           "\xc3", "\xe2\x82", "\xf0\x9f\x8e", "\xc3\x28"}) {
    CHECK_FALSE(is_utf8(text));
  }
  CHECK(utf8_prefix("ab\xff") == 2);
}

TEST_CASE("Quoted text has control characters, quotes and backslashes escaped") {
  CHECK(quote("a\"\\\n\x7f\xc3\xa9") == "\"a\\\"\\\\\\u000a\\u007f\xc3\xa9\"");
}

TEST_CASE("Text for messages is cut between characters and shows other bytes as question marks") {
  std::string notes;
  for (int i = 0; i < 100; ++i) notes += "\xf0\x9f\x8e\xb5";
  CHECK(on_one_line(notes) == notes.substr(0, 200) + "...");
  CHECK(on_one_line("a\xff\xc3") == "a??");
  CHECK(quote_for_message("a\nb") == "\"a\\u000ab\"");
}

}  // namespace
}  // namespace syncrelay::config
