#include "syncrelay/relay/idle_channels.h"

namespace syncrelay {

void IdleChannels::hear(const Update& part) {
  Channel* const channel = table_.find(part);
  if (part.chunk) window_.add(channel, part.size, left_);
  for (const ChannelName& name : left_) note(*name);
  left_.clear();
  if (channel != nullptr && channel->idle()) noted_.emplace(*channel->name);
}

void IdleChannels::hear(std::size_t shard, const Subscribers& subscribers) {
  subscribers_.set(shard, subscribers.channel, subscribers.count);
  if (subscribers.count == 0) note(subscribers.channel);
}

void IdleChannels::note(std::string_view name) {
  const Channel* const channel = table_.find(name);
  if (channel != nullptr && channel->name && channel->idle()) noted_.emplace(name);
}

std::vector<Forget> IdleChannels::forgettable(std::size_t max) {
  std::vector<Forget> found;
  for (auto name = noted_.begin(); name != noted_.end() && found.size() < max;) {
    const Channel* const channel = table_.find(*name);
    if (channel != nullptr && channel->idle() && subscribers_.of(*name) == 0) {
      found.push_back({*name, channel->last});
      ++name;
    } else {
      name = noted_.erase(name);
    }
  }
  return found;
}

std::vector<Forget> IdleChannels::spare(std::size_t max) const {
  std::vector<Forget> found;
  for (const auto& [name, channel] : table_.by_name()) {
    if (found.size() == max) break;
    if (channel->empty() && subscribers_.of(name) == 0)
      found.push_back({std::string(name), channel->last, true});
  }
  return found;
}

}  // namespace syncrelay
