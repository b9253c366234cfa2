#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "control_socket.h"
#include "syncrelay/base/clock.h"
#include "syncrelay/post/browse.h"
#include "syncrelay/relay/query.h"
#include "syncrelay/relay/relay.h"

namespace syncrelay {

// Queries for the recent events of a channel: those that wait for one to come, and those that a
// shard is looking after. Relay thread only.
class Tails {
 public:
  static constexpr std::size_t kMax = 128;  // both together

  struct Answer {
    Envelope envelope;
    std::string channel;
    Browsed browsed;
  };

  // Must outlive it.
  explicit Tails(Relay& relay) : relay_(relay) {}

  // False: too many are under way.
  [[nodiscard]] bool add(Envelope& envelope, const Query& query, TimePoint now);

  // Has the shard look for those for which there is something, or whose time is over. `events`: how
  // many there have ever been.
  void serve(std::uint64_t events, TimePoint now);
  // When the first one's time is over; nullopt: nobody waits.
  std::optional<TimePoint> next_end() const;

  // A shard has looked.
  Answer take(Browsed browsed);
  // Those that wait get nothing.
  std::vector<Answer> end();

 private:
  struct Waiting {
    Envelope envelope;
    std::string channel;
    std::optional<std::uint64_t> after;
    std::size_t max;
    TimePoint until;
  };

  bool is_due(const Waiting& waiting, TimePoint now) const;
  void look(Waiting waiting);

  Relay& relay_;
  std::uint64_t next_number_ = 1;
  std::uint64_t served_events_ = 0;
  std::vector<Waiting> waiting_;
  std::map<std::uint64_t, std::pair<Envelope, std::string>> looking_;  // by number; and channel
};

}  // namespace syncrelay
