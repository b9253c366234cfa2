#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "syncrelay/channel/channel_table.h"
#include "syncrelay/relay/query.h"
#include "syncrelay/relay/subscriber_counts.h"

namespace syncrelay {

struct ListedChannel {
  std::string name;
  ChannelPosition position;
  std::uint64_t subscribers = 0;
  std::size_t keys = 0;
  std::uint64_t bytes = 0;  // of its state
};

struct ChannelList {
  std::vector<ListedChannel> channels;
  bool more = false;  // there are others behind them
};

// What a query for channels asks for, in the order of the names: those that the relay has, and
// those that only their subscribers know. Precondition: query.limit > 0.
ChannelList list_channels(const Query& query, const ChannelTable& table,
                          const SubscriberCounts& subscribers);

}  // namespace syncrelay
