#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "syncrelay/tls/tls_trust.h"

namespace syncrelay {

// libwebsockets cuts off a request's first line at 2 KiB.
inline constexpr std::size_t kMaxPath = 2000;

struct StreamTarget {
  std::string host;
  std::uint16_t port;
  const TlsTrust* tls;             // null: without TLS
  std::string path;                // with the query; up to kMaxPath bytes
  std::vector<std::string> words;  // text messages to say first
  std::string token = {};          // that lets it in; empty: none
};

// How a stream came to its end.
struct StreamEnd {
  enum class Kind : std::uint8_t {
    unreachable,
    silent,   // no answer to the handshake in time
    busy,     // the relay answered, but has no place now
    refused,  // the relay will not have this client, now or later
    lost,     // after it was established
    stopped,  // take() returned false
  };
  Kind kind = Kind::unreachable;
  std::string why;
  std::chrono::seconds again_in{0};  // busy: in which the relay asks to be asked again
};

// Connects as a WebSocket client and hands every message to `take`, on this thread, until the
// connection ends or `take` returns false. The connection must be established within `patience`.
// An answer that names another place is not followed: the token is for this one. Takes leave with
// close code 1000 at the end that `take` makes, and at SIGINT and SIGTERM, which then end the
// process as ever. Answers pings; a relay that is silent for 40 s although it was pinged counts as
// lost.
StreamEnd read_stream(const StreamTarget& target, std::chrono::milliseconds patience,
                      const std::function<bool(std::string_view message)>& take);

}  // namespace syncrelay
