#include "syncrelay/redis/cluster_options.h"

#include <doctest/doctest.h>

namespace syncrelay {
namespace {

TEST_CASE("The first option that differs is named with both values") {
  const std::string own = text_of({{"max-state", "1 MiB"}, {"dedup-ids", "100"}});
  CHECK_FALSE(difference(own, own));
  CHECK(difference(text_of({{"max-state", "1 MiB"}, {"dedup-ids", "7"}}), own) ==
        "dedup-ids, which is 7 in the cluster and 100 here");
  CHECK(difference(text_of({{"max-state", "1 MiB"}}), own) ==
        "dedup-ids, which is unknown in the cluster and 100 here");
  CHECK(difference(own, text_of({{"max-state", "1 MiB"}})) ==
        "dedup-ids, which is 100 in the cluster and unknown here");
  CHECK(difference("log-version=2\n", own) == "log-version, which is 2 in the cluster and 1 here");
}

}  // namespace
}  // namespace syncrelay
