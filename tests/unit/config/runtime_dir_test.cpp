#include "syncrelay/config/runtime_dir.h"

#include <doctest/doctest.h>

namespace syncrelay {
namespace {

TEST_CASE("The default runtime directory is one per user") {
  CHECK(default_runtime_dir(0) == "/tmp/syncrelay-0");
  CHECK(default_runtime_dir(4294967294U) == "/tmp/syncrelay-4294967294");
}

TEST_CASE("The default command socket lies in the runtime directory") {
  CHECK(default_commands_endpoint("/run/syncrelay") == "ipc:///run/syncrelay/commands.sock");
  CHECK(default_commands_endpoint("/run/syncrelay/") == "ipc:///run/syncrelay/commands.sock");
}

}  // namespace
}  // namespace syncrelay
