#pragma once

#include <optional>
#include <string>

#include "relay_place.h"
#include "syncrelay/base/result.h"

namespace syncrelay {

// The keys by which this process is known to a relay, and the relay to it; as Z85.
struct CurveKeys {
  std::string server;
  std::string secret;
  std::string public_key;  // of `secret`

  // Of a ZeroMQ socket, before it connects. False: this ZeroMQ has no CURVE.
  bool use_for(void* socket) const;
};

// From the files that `place` names; nullopt: it names none. The error says what is wrong with
// which.
Result<std::optional<CurveKeys>, std::string> curve_keys(const RelayPlace& place);

}  // namespace syncrelay
