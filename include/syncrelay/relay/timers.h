#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "syncrelay/base/clock.h"
#include "syncrelay/channel/channels.h"

namespace syncrelay {

// When keys go by themselves. A timer that has run out stays until it is ended: the relay then asks
// for the end of its key, and ends it when that has happened or the key has become something else.
// At most one a key, so bounded by --max-state-keys. Relay thread only; time is passed in.
class Timers {
 public:
  // Instead of what the key had before.
  void set(std::string_view channel, const std::string& key, std::uint64_t version, bool told,
           TimePoint at);
  void end(std::string_view channel, std::string_view key);
  void end_all(std::string_view channel);

  bool empty() const { return by_time_.empty(); }

  // When the key goes by itself, and whether that is told.
  struct End {
    TimePoint at;
    bool told;
  };
  std::optional<End> of(std::string_view channel, std::string_view key) const;
  std::size_t size() const { return by_time_.size(); }
  // Calls `visit(version, end)` for each.
  template <typename Visit>
  void for_each(Visit visit) const {
    for (const auto& [at, place] : by_time_) {
      const Timer& timer = place.key->second;
      visit(timer.version, End{at, timer.told});
    }
  }
  // When the first runs out; nullopt: never.
  std::optional<TimePoint> next() const;
  // Those that have run out, the oldest first, at most `max`.
  std::vector<Expire> due(TimePoint now, std::size_t max) const;

 private:
  struct Timer;
  using Key = std::pair<const std::string, Timer>;
  struct Place {
    const std::string* channel;
    const Key* key;
  };
  using ByTime = std::multimap<TimePoint, Place>;
  struct Timer {
    std::uint64_t version = 0;
    bool told = true;
    ByTime::iterator place;
  };
  using ByKey = std::map<std::string, Timer, std::less<>>;

  std::map<std::string, ByKey, std::less<>> by_channel_;  // none of them empty
  ByTime by_time_;
};

}  // namespace syncrelay
