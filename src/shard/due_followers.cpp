#include "syncrelay/shard/due_followers.h"

#include <algorithm>

namespace syncrelay {

void DueFollowers::add(Follower& follower) {
  if (follower.due || !follower.has_work()) return;
  if (follower.joining() != nullptr) {
    joining_.push_back(&follower);
    follower.due = true;
  } else {
    add_live(follower);
  }
}

void DueFollowers::add_live(Follower& follower) {
  live_.push_back({follower.place(), &follower});
  std::push_heap(live_.begin(), live_.end());
  follower.due = true;
}

void DueFollowers::remove(Follower& follower) {
  if (!follower.due) return;
  follower.due = false;
  const auto joins = std::find(joining_.begin(), joining_.end(), &follower);
  if (joins != joining_.end()) {
    joining_.erase(joins);
    return;
  }
  const auto is_it = [&](const Live& live) { return live.follower == &follower; };
  live_.erase(std::find_if(live_.begin(), live_.end(), is_it));
  std::make_heap(live_.begin(), live_.end());
}

void DueFollowers::joined() {
  Follower& follower = *joining_.front();
  joining_.erase(joining_.begin());
  follower.due = false;
  add(follower);
}

void DueFollowers::moved() {
  Follower& follower = *live_.front().follower;
  std::pop_heap(live_.begin(), live_.end());
  live_.pop_back();
  follower.due = false;
  add(follower);
}

void DueFollowers::moved_back(Follower& follower) {
  remove(follower);
  add(follower);
}

std::uint64_t DueFollowers::lag() const {
  std::uint64_t events = 0;
  for (const Live& live : live_) events += live.follower->lag();
  return events;
}

std::uint64_t DueFollowers::needed_from() const {
  std::uint64_t from = UINT64_MAX;
  for (const Live& live : live_) {
    if (live.follower->in_window()) from = std::min(from, live.place);
  }
  return from;
}

}  // namespace syncrelay
