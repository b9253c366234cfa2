#pragma once

#include <chrono>
#include <thread>

namespace syncrelay::testing {

// Whether the condition comes true before the time is over.
template <typename Condition>
bool comes_true(Condition condition, std::chrono::milliseconds within = std::chrono::seconds(30)) {
  const auto deadline = std::chrono::steady_clock::now() + within;
  while (!condition()) {
    if (std::chrono::steady_clock::now() >= deadline) return false;
    std::this_thread::yield();
  }
  return true;
}

}  // namespace syncrelay::testing
