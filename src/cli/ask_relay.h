#pragma once

#include <chrono>
#include <string>

#include "syncrelay/base/result.h"

namespace syncrelay {

// Why there is no answer.
struct NoAnswer {
  std::string why;
};

// Sends a request to the control socket at `endpoint` and waits for the answer, for at most
// `timeout`. A request that stays unanswered is sent again, so that it reaches a relay that was
// restarted meanwhile: a command must carry an id, by which it takes effect once.
Result<std::string, NoAnswer> ask_relay(const std::string& endpoint, const std::string& request,
                                        std::chrono::milliseconds timeout);

}  // namespace syncrelay
