#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "syncrelay/base/clock.h"
#include "syncrelay/protocol/worker_event.h"

namespace syncrelay {

// Somebody came or went, for a worker that asks for it. Advice: it is stored nowhere, and may be
// lost; of members the log has the truth.
struct Notice {
  WorkerEvent event = WorkerEvent::connected;  // never `message`
  WallTime ts{};                               // when it happened,
  TimePoint at{};                              // and by the clock that nobody sets
  std::uint64_t connection = 0;                // connected, disconnected
  std::string address{};                       // connected
  std::string id{};        // joined, left; disconnected, where it is empty without one
  std::uint16_t code = 0;  // disconnected: of the close frame, see CloseCode
  Duration duration{};     // disconnected: of the connection
  std::string channel{};   // joined, left; empty: the default one
  std::shared_ptr<const std::string> info{};  // joined: JSON object; else null
};

// What it holds in memory, in bytes.
inline std::size_t weight(const Notice& notice) {
  return sizeof notice + notice.address.size() + notice.id.size() + notice.channel.size() +
         (notice.info ? notice.info->size() : 0);
}

}  // namespace syncrelay
