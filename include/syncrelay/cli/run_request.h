#pragma once

#include <string>

#include "syncrelay/base/result.h"
#include "syncrelay/cli/console.h"
#include "syncrelay/config/invocation.h"

namespace syncrelay {

// Does what an invocation asks of a running relay, and returns the exit code: 0 done, 1 refused or
// out of reach, 2 bad input. Of the latter two the last line on Console::err says why.
// Precondition: the action is one of state, set, merge, remove, publish, watch,
// clients, stats.
int run_request(const Invocation& invocation, const Console& console);

// Why the relay made no backup.
struct NoBackup {
  std::string why;
};

// Has the running relay make a backup, and returns where it lies: in the directory that it keeps.
Result<std::string, NoBackup> request_backup(const Invocation& invocation);

}  // namespace syncrelay
