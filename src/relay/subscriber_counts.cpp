#include "syncrelay/relay/subscriber_counts.h"

#include <numeric>

namespace syncrelay {
namespace {

std::uint64_t sum(const std::vector<std::uint64_t>& counts) {
  return std::accumulate(counts.begin(), counts.end(), std::uint64_t{0});
}

}  // namespace

void SubscriberCounts::set(std::size_t shard, std::string_view channel, std::uint64_t count) {
  auto found = by_name_.find(channel);
  if (found == by_name_.end()) {
    if (count == 0) return;
    found = by_name_.emplace(channel, std::vector<std::uint64_t>(shards_)).first;
  }
  found->second[shard] = count;
  if (sum(found->second) == 0) by_name_.erase(found);
}

std::uint64_t SubscriberCounts::of(std::string_view channel) const {
  const auto found = by_name_.find(channel);
  return found == by_name_.end() ? 0 : sum(found->second);
}

}  // namespace syncrelay
