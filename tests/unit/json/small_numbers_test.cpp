#include "syncrelay/json/small_numbers.h"

#include <doctest/doctest.h>

#include <initializer_list>
#include <utility>

namespace syncrelay {
namespace {

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

}  // namespace
}  // namespace syncrelay
