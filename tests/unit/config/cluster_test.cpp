#include <doctest/doctest.h>

#include <string>

#include "invocation_fixture.h"
#include "syncrelay/config/invocation.h"

namespace syncrelay {
namespace {

TEST_CASE("A URL that is none is refused, by where it is from and without what it holds") {
  const std::string error = error_of(make_input({}, {"SYNCRELAY_CLUSTER=http://u:secret@host"}));
  CHECK(error.find("cluster (from SYNCRELAY_CLUSTER): it has to begin with redis://") == 0);
  CHECK(error.find("secret") == std::string::npos);
  CHECK(error_of(make_file_input("cluster = \"redis://host:0\"\n")).find("port") !=
        std::string::npos);
  CHECK(error_of(make_input({"--cluster", "redis://:secret@host/x"})) ==
        "cluster (from --cluster): a database is a number from 0 to 65535");
  CHECK(error_of(make_input({"--cluster", "redis://:secret@host/1?prefix=a"})).empty());
}

TEST_CASE("TLS to Redis is refused with what to do instead") {
  const std::string error = error_of(make_input({"--cluster", "rediss://:secret@host"}));
  CHECK(error.find("cluster (from --cluster): ") == 0);
  CHECK(error.find("stunnel") != std::string::npos);
  CHECK(error.find("private network") != std::string::npos);
  CHECK(error.find("secret") == std::string::npos);
}

TEST_CASE("A cluster takes no commands that an entry of its log does not hold, and no --data") {
  CHECK(error_of(make_input({"--cluster", "redis://h", "--max-command", "63MiB"})).empty());
  CHECK(error_of(make_input({"--cluster", "redis://h"}, {"SYNCRELAY_MAX_COMMAND=64MiB"})) ==
        "max-command (from SYNCRELAY_MAX_COMMAND): at most 63MiB together with cluster (from "
        "--cluster): an entry of its log holds no more");
  CHECK(error_of(make_input({"--cluster", "redis://h", "--data", "/d"})) ==
        "data (from --data): not together with cluster (from --cluster): what the relays of a "
        "cluster share is kept by its Redis");
}

TEST_CASE("A password on the command line is warned of, and nowhere else") {
  const std::string url = "redis://:secret@host";
  const auto seen = parse_invocation(make_input({"--cluster", url}));
  REQUIRE(seen.ok());
  REQUIRE(seen.value().warnings.size() == 1);
  const std::string& warning = seen.value().warnings.front();
  CHECK(warning.find("cluster (from --cluster)") == 0);
  CHECK(warning.find("SYNCRELAY_CLUSTER") != std::string::npos);
  CHECK(warning.find("secret") == std::string::npos);
  for (const auto& input :
       {make_input({}, {"SYNCRELAY_CLUSTER=" + url}),
        make_file_input("cluster = \"" + url + "\"\n"), make_input({"--cluster", "redis://h"})}) {
    const auto unseen = parse_invocation(input);
    REQUIRE(unseen.ok());
    CHECK(unseen.value().warnings.empty());
  }
}

TEST_CASE("Who asks a relay does not look at its cluster") {
  CHECK(error_of(make_input({"stats"}, {"SYNCRELAY_CLUSTER=nonsense"})).empty());
}

}  // namespace
}  // namespace syncrelay
