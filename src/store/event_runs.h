#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "syncrelay/post/channel_name.h"
#include "syncrelay/relay/store.h"

namespace syncrelay {

// To which channels the events of a batch belong, and with which seqs, as a blob. Empty: all are of
// the default channel, and their seqs are their numbers among all of the log, as it is as long as
// no other channel had an event. Else, for each run of successive events of one channel: the
// channel (a number: 0 is the default one; the lowest that is new in this blob is followed by the
// name, behind its length in one byte), the first seq, and the count. Numbers have 7 bits a byte,
// the lowest first.
std::string encode_runs(const std::vector<StoredEvent>& events, std::uint64_t first_event);

// One object for each name, whoever carries it.
class ChannelNames {
 public:
  ChannelName of(std::string_view name);

 private:
  std::unordered_map<std::string, ChannelName> names_;
};

// nullopt when the blob is damaged: it does not hold `count` events.
std::optional<std::vector<StoredRun>> decode_runs(std::string_view blob, std::uint64_t first_event,
                                                  std::uint64_t count, ChannelNames& names);

}  // namespace syncrelay
