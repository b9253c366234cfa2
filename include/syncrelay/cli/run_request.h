#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

#include "syncrelay/base/result.h"
#include "syncrelay/cli/console.h"
#include "syncrelay/config/invocation.h"

namespace syncrelay {

// Does what an invocation asks of a running relay, and returns the exit code: 0 done, 1 refused or
// out of reach, or nobody was there to disconnect, 2 bad input. Of the latter two the last line on
// Console::err says why.
// Precondition: the action is one of state, set, merge, remove, publish, watch,
// clients, channels, drop, stats.
int run_request(const Invocation& invocation, const Console& console);

// Why the relay made no backup.
struct NoBackup {
  std::string why;
};

// Where a relay says that a backup lies: in the directory that it keeps. Only what it says.
struct RelayBackup {
  std::string path;
  std::optional<uid_t> owner;  // the relay's user, as far as its socket tells
};

// Has the running relay make a backup.
Result<RelayBackup, NoBackup> request_backup(const Invocation& invocation);

}  // namespace syncrelay
