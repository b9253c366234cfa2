#include "syncrelay/channel/window_count.h"

#include <utility>

namespace syncrelay {

void WindowCount::add(std::shared_ptr<Channel> channel, std::size_t bytes,
                      std::vector<ChannelName>& left) {
  if (channel) ++channel->in_window;
  entries_.push_back({std::move(channel), bytes});
  bytes_ += bytes;
  while (entries_.size() > 1 && (bytes_ > bounds_.bytes || entries_.size() > bounds_.events)) {
    const Entry& oldest = entries_.front();
    bytes_ -= oldest.bytes;
    if (oldest.channel && --oldest.channel->in_window == 0) left.push_back(oldest.channel->name);
    entries_.pop_front();
  }
}

}  // namespace syncrelay
