#include "syncrelay/ws/open_files.h"

#include <doctest/doctest.h>

#include <algorithm>

namespace syncrelay {
namespace {

std::uint32_t connections(const OpenFiles& files) {
  return files.clients + files.other_connections + files.command_connections;
}

TEST_CASE("With room enough everybody gets what is wanted") {
  const OpenFiles wanted = wanted_open_files(10'000, 2);
  CHECK(wanted.clients == 10'000);
  CHECK(share_open_files(wanted, wanted.all) == wanted);
  CHECK(share_open_files(wanted, 1U << 30) == wanted);
  CHECK(share_open_files(wanted, RLIM_INFINITY) == wanted);
}

TEST_CASE(
    "Whatever the limit, the shares of all connections leave room for the relay's own files") {
  const OpenFiles wanted = wanted_open_files(10'000, 4);
  const std::uint32_t own = wanted.all - connections(wanted);
  for (std::uint32_t limit = 64; limit < wanted.all; limit += 7) {
    CAPTURE(limit);
    const OpenFiles files = share_open_files(wanted, limit);
    CHECK(files.all == limit);
    CHECK(connections(files) <= limit - std::min(own, limit / 2));
    CHECK(files.clients >= 1);
    CHECK(files.command_connections >= 1);
    CHECK(files.other_connections >= 1);
  }
}

TEST_CASE("A limit that is short of clients takes nothing from the command sockets") {
  const OpenFiles wanted = wanted_open_files(10'000, 2);
  const OpenFiles files = share_open_files(wanted, 4096);
  CHECK(files.command_connections == wanted.command_connections);
  CHECK(files.clients < wanted.clients);
}

TEST_CASE("The limit is never lowered, and the scope that shows a smaller one gives it back") {
  rlimit before{};
  getrlimit(RLIMIT_NOFILE, &before);
  CHECK(raise_open_files(16) == before.rlim_cur);
  {
    const OpenFilesScope scope(before.rlim_cur - 1);
    rlimit inside{};
    getrlimit(RLIMIT_NOFILE, &inside);
    CHECK(inside.rlim_cur == before.rlim_cur - 1);
  }
  rlimit after{};
  getrlimit(RLIMIT_NOFILE, &after);
  CHECK(after.rlim_cur == before.rlim_cur);
}

}  // namespace
}  // namespace syncrelay
