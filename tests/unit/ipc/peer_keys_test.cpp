#include "syncrelay/ipc/peer_keys.h"

#include <doctest/doctest.h>

namespace syncrelay {
namespace {

TEST_CASE("Who is listed is let in, and only a key that is taken out is a removal") {
  PeerKeys keys;
  CHECK_FALSE(keys.has("a"));
  keys.replace({"a", "b", "a"});
  CHECK(keys.has("a"));
  CHECK_FALSE(keys.has("ab"));
  keys.replace({"b", "a"});
  keys.replace({"a", "b", "c"});
  CHECK(keys.removals() == 0);
  keys.replace({"c", "a"});
  CHECK(keys.removals() == 1);
  CHECK_FALSE(keys.has("b"));
  keys.replace({});
  CHECK(keys.removals() == 2);
  CHECK_FALSE(keys.has("a"));
}

}  // namespace
}  // namespace syncrelay
