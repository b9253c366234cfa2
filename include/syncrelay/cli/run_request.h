#pragma once

#include <optional>
#include <string>

#include "syncrelay/cli/console.h"
#include "syncrelay/config/invocation.h"

namespace syncrelay {

// Does what an invocation asks of a running relay, and returns the exit code: 0 done, 1 refused or
// out of reach, 2 bad input. Of the latter two the last line on Console::err says why.
// Precondition: the action is one of state, set, publish, watch, clients, stats.
int run_request(const Invocation& invocation, const Console& console);

// Has the running relay make a backup, and returns where it lies; nothing when there is none, which
// is told on Console::err.
std::optional<std::string> request_backup(const Invocation& invocation, const Console& console);

}  // namespace syncrelay
