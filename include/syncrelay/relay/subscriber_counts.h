#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace syncrelay {

// How many clients follow each channel, as the shards have told. Bounded by what they have: clients
// times --max-subscriptions. Relay thread only.
class SubscriberCounts {
 public:
  explicit SubscriberCounts(std::size_t shards) : shards_(shards) {}

  // Precondition: shard < the number of shards.
  void set(std::size_t shard, std::string_view channel, std::uint64_t count);

  std::uint64_t of(std::string_view channel) const;

  // Channels that somebody follows, in the order of their names.
  using ByName = std::map<std::string, std::vector<std::uint64_t>, std::less<>>;  // by shard
  const ByName& by_name() const { return by_name_; }

 private:
  const std::size_t shards_;
  ByName by_name_;
};

}  // namespace syncrelay
