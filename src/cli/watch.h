#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "event_stream.h"
#include "syncrelay/cli/console.h"

namespace syncrelay {

// Prints what a client of the relay receives. After a lost connection it connects again, for ever,
// and goes on at its positions. A channel that was refused or dropped is not asked for again.
class Watch {
 public:
  struct Settings {
    std::string host;
    std::uint16_t port;
    const TlsTrust* tls;  // null: without TLS; must outlive the watch
    // The empty name is the default channel, which is what is watched where there are no names.
    std::vector<std::string> channels;
    std::uint64_t count;                // messages after which it ends; 0: never
    std::chrono::milliseconds timeout;  // for the first connection
    std::string token;                  // that it comes with; empty: none
    std::string token_file;  // in place of it: the token is read anew for each connection
  };

  Watch(const Settings& settings, const Console& console);

  // False when the relay refuses, could not be reached at first, or has nothing left to follow:
  // why() tells.
  bool run();
  const std::string& why() const { return why_; }

 private:
  struct Followed {
    std::string channel;
    std::string epoch;  // empty until the channel's first message
    std::string seq;
    bool asked = true;  // false: the personal channel, which comes by itself
  };

  static std::string argument_for(const Followed& followed);
  static std::string message_for(const Followed& followed);
  bool take(std::string_view message);
  void note(std::string_view message);
  bool is_left() const;
  void note_end(const Followed& followed, std::string_view type, std::string_view message);
  void tell(const StreamEnd& end) const;
  bool fail(const StreamEnd& end);
  std::chrono::milliseconds time_left() const;  // for the first message to come
  StreamTarget target() const;
  StreamEnd attempt();
  std::string place() const;

  const Settings settings_;
  const Console& console_;
  const std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
  std::vector<Followed> followed_;
  std::uint64_t printed_ = 0;
  std::string last_end_;  // of the channel that ended last
  std::string why_;
};

}  // namespace syncrelay
