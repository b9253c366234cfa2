#pragma once

#include "syncrelay/config/invocation.h"

namespace syncrelay {

// Serves until a signal comes; returns the exit code. The main thread's.
int run_relay(const Invocation& invocation);

}  // namespace syncrelay
