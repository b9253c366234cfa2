#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "event_stream.h"

namespace syncrelay {

// Many WebSocket clients of one relay, that follow one channel. All is done by the thread that
// calls; what is handed in must outlive the crowd.
class Crowd {
 public:
  // What becomes of its clients, each told as it happens.
  struct Hears {
    std::function<void(std::string_view message)>
        event;  // the first bytes of it, kBeginning or all
  };
  static constexpr std::size_t kBeginning = 128;

  struct Counts {
    std::size_t connecting = 0;
    std::size_t here = 0;       // follow the channel
    std::size_t failed = 0;     // never came to follow it
    std::size_t lost = 0;       // were here, and are gone
    std::uint64_t skipped = 0;  // events that the relay says some did not get
  };

  // `target.path` names the channel; `target.words` are not said.
  Crowd(const StreamTarget& target, std::string channel, const Hears& hears);
  ~Crowd();
  Crowd(const Crowd&) = delete;
  Crowd& operator=(const Crowd&) = delete;

  // False: libwebsockets cannot start.
  bool begin();

  // Begins with another one.
  void connect();
  const Counts& counts() const;
  // Why the last one that failed or was lost did so; empty: none did.
  const std::string& why() const;

  // Waits for something to happen, for at most this long, and deals with it.
  void serve(std::chrono::milliseconds longest);
  // Closes all of them, as those do who go; waits for a second at most.
  void leave();

  // Has serve() return soon. From any thread.
  void wake();

  // SIGINT or SIGTERM came since begin().
  static bool stopped();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace syncrelay
