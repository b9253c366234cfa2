#include "syncrelay/config/nearest.h"

#include <doctest/doctest.h>

#include <string>

namespace syncrelay::config {
namespace {

TEST_CASE("The nearest word is the one with the fewest edits") {
  const std::vector<std::string_view> words = {"host", "port", "shards"};
  CHECK(nearest("port", words) == "port");
  CHECK(nearest("pot", words) == "port");
  CHECK(nearest("ports", words) == "port");
  CHECK(nearest("hest", words) == "host");
  CHECK(nearest("shrads", words) == "shards");
}

TEST_CASE("Two swapped letters count as one edit") {
  CHECK(nearest("ab", {"cb", "ba"}) == "cb");
  CHECK(nearest("abcd", {"xycd", "bacd"}) == "bacd");
}

TEST_CASE("The first of equally near words is taken") {
  CHECK(nearest("", {"b", "a"}) == "b");
}

TEST_CASE("A word that differs in more than half of its bytes is near to nothing") {
  const std::vector<std::string_view> words = {"drop", "set", "clients"};
  CHECK(near("nope", words).empty());
  CHECK(near("sett", words) == "set");
  CHECK(near("client", words) == "clients");
  CHECK(near("st", words) == "set");
  CHECK(near("", words).empty());
}

TEST_CASE("A very long word costs no more than a long one") {
  CHECK(nearest(std::string(10'000'000, 'a'), {"b", "aaa"}) == "aaa");
}

}  // namespace
}  // namespace syncrelay::config
