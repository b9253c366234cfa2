#include "syncrelay/channel/window_count.h"

namespace syncrelay {

void WindowCount::add(Channel* channel, std::size_t bytes, std::vector<ChannelName>& left) {
  const std::uint32_t place = channel == nullptr ? 0 : place_of(*channel);
  if (place != 0) ++places_[place - 1].events;
  entries_.push_back({place, bytes});
  bytes_ += bytes;
  while (entries_.size() > 1 && (bytes_ > bounds_.bytes || entries_.size() > bounds_.events))
    pop_oldest(left);
}

void WindowCount::forget(const Channel& channel) {
  if (channel.in_window != 0) places_[channel.in_window - 1].channel = nullptr;
}

std::uint32_t WindowCount::place_of(Channel& channel) {
  if (channel.in_window != 0) return channel.in_window;
  if (free_.empty()) {
    places_.emplace_back();
    free_.push_back(static_cast<std::uint32_t>(places_.size()));
  }
  channel.in_window = free_.back();
  free_.pop_back();
  places_[channel.in_window - 1] = {&channel, 0};
  return channel.in_window;
}

void WindowCount::pop_oldest(std::vector<ChannelName>& left) {
  const Entry oldest = entries_.front();
  entries_.pop_front();
  bytes_ -= oldest.bytes;
  if (oldest.place == 0) return;
  Place& place = places_[oldest.place - 1];
  if (--place.events > 0) return;
  free_.push_back(oldest.place);
  if (place.channel == nullptr) return;
  place.channel->in_window = 0;
  left.push_back(place.channel->name);
}

}  // namespace syncrelay
