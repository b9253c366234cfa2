#pragma once

#include <csignal>

struct lws_context;

namespace syncrelay {

// While it lives, SIGINT and SIGTERM wake the loop that waits instead of ending the process, which
// its end then does, unless the signal was forgotten. One at a time.
class StopSignals {
 public:
  explicit StopSignals(lws_context* context);
  ~StopSignals();
  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;

  // 0: none.
  static int came();
  // The process is to go on when this ends.
  static void forget();

 private:
  struct sigaction interrupt_ {};
  struct sigaction terminate_ {};
};

}  // namespace syncrelay
