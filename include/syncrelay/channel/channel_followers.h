#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "syncrelay/base/prefetch.h"

namespace syncrelay {

// One who follows a channel, as the channel knows it. It stays where it is.
class ChannelFollower {
 public:
  // Whether whoever it belongs to follows other channels, too.
  bool shared() const { return shared_; }

 protected:
  ChannelFollower() = default;
  ChannelFollower(const ChannelFollower&) = delete;
  ChannelFollower& operator=(const ChannelFollower&) = delete;
  ~ChannelFollower() = default;

 private:
  friend class ChannelFollowers;
  std::uint32_t slot_ = 0;
  bool shared_ = false;
};

// All who follow a channel, without gaps and with the shared ones in front, so that neither who
// looks at all nor who looks at those passes over another. One thread only.
class ChannelFollowers {
 public:
  std::size_t size() const { return all_.size(); }
  bool empty() const { return all_.empty(); }
  std::size_t shared() const { return shared_; }

  // Precondition: index < size(); those under shared() are.
  ChannelFollower& operator[](std::size_t index) const { return *all_[index]; }

  // Has the processor fetch where all of them are found.
  void prefetch() const {
    if (!all_.empty()) syncrelay::prefetch(all_.data(), 1);
  }

  // Not shared at first.
  void add(ChannelFollower& follower) {
    follower.slot_ = static_cast<std::uint32_t>(all_.size());
    all_.push_back(&follower);
  }

  void remove(ChannelFollower& follower) {
    set_shared(follower, false);
    exchange(follower.slot_, all_.size() - 1);
    all_.pop_back();
    if (all_.empty()) std::vector<ChannelFollower*>().swap(all_);
  }

  void set_shared(ChannelFollower& follower, bool shared) {
    if (follower.shared_ == shared) return;
    exchange(follower.slot_, shared ? shared_++ : --shared_);
    follower.shared_ = shared;
  }

 private:
  void exchange(std::size_t left, std::size_t right) {
    std::swap(all_[left], all_[right]);
    all_[left]->slot_ = static_cast<std::uint32_t>(left);
    all_[right]->slot_ = static_cast<std::uint32_t>(right);
  }

  std::vector<ChannelFollower*> all_;
  std::uint32_t shared_ = 0;
};

}  // namespace syncrelay
