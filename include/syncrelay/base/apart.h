#pragma once

#include <functional>
#include <future>

namespace syncrelay {

// Runs `work`, which may block for ever (in a write to a pipe that nobody reads), on a thread of
// its own. Wait for the future as long as the work is worth it and then leave: unlike that of
// std::async, this future's destructor waits for nothing, and the process ends without the thread.
// Precondition: `work` owns all that it touches.
std::future<void> run_apart(std::function<void()> work);

}  // namespace syncrelay
