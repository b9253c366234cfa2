#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "syncrelay/base/clock.h"
#include "syncrelay/channel/log_writer.h"
#include "syncrelay/post/update.h"

namespace syncrelay::testing {

// Makes the parts of steps of any channels as the relay does, without one: who calls it gives the
// numbers. For tests of what lies behind the relay.
class UpdateSource {
 public:
  explicit UpdateSource(std::uint64_t window_bytes) : writer_(window_bytes) {}

  Update event(const std::string& channel, Seq seq, std::string_view text, TimePoint accepted = {});
  // A null value: the key goes. `last`: the channel's newest event.
  Update change(const std::string& channel, Seq last, const std::string& key, const char* value);
  Update end(const std::string& channel, Seq last, ChannelEnd how);

 private:
  Update part(const std::string& channel, Seq seq);

  LogWriter writer_;
  std::map<std::string, ChannelName> names_;
};

// `{"type":"e","channel":…,"data":…,"ts":…,"seq":…}`
std::string event_text(const std::string& channel, const std::string& data, WallTime ts, Seq seq);

}  // namespace syncrelay::testing
