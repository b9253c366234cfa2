#pragma once

#include "syncrelay/config/invocation.h"

namespace syncrelay {

enum ExitCode : int { kStopped = 0, kFailed = 1, kBadUsage = 2 };

// Does what the binary was asked to do; returns its exit code. To be called once, by the main
// thread.
int run_invocation(const Invocation& invocation);

}  // namespace syncrelay
