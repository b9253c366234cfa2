#pragma once

#include <chrono>
#include <string>

#include "relay_place.h"
#include "syncrelay/base/result.h"

namespace syncrelay {

// Why there is no answer.
struct NoAnswer {
  std::string why;
};

// Sends a request to the control socket at `place` and waits for the answer, for at most `timeout`.
// A relay that takes long over its answer is left to it: the request goes out again only over a new
// connection after the old one broke, as when the relay is restarted, and after the answer `busy`,
// which did nothing. So a command must carry an id, by which it takes effect once.
Result<std::string, NoAnswer> ask_relay(const RelayPlace& place, const std::string& request,
                                        std::chrono::milliseconds timeout);

}  // namespace syncrelay
