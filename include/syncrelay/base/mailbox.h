#pragma once

#include <condition_variable>
#include <cstddef>
#include <functional>
#include <mutex>
#include <span>
#include <utility>
#include <vector>

namespace syncrelay {

// Hands values from one thread to another, in order. Thread-safe; bounded by count and by
// weight(value), found by argument-dependent lookup: a sender waits while either is reached, which
// is how backpressure gets to the relay. A value heavier than the bound goes in alone. Two vectors
// change places at every take, so that a busy mailbox allocates nothing. Rejected: a lock-free
// ring; the lock is taken once per batch and does not show in a profile.
template <typename T>
class Mailbox {
 public:
  struct Bounds {
    std::size_t count;
    std::size_t weight;
  };

  // `wake` runs on the sender's thread when the mailbox stops being empty. It must not block.
  Mailbox(Bounds bounds, std::function<void()> wake) : bounds_(bounds), wake_(std::move(wake)) {}
  Mailbox(const Mailbox&) = delete;
  Mailbox& operator=(const Mailbox&) = delete;

  // Copies `values` in, waiting for room. False when the mailbox was closed before all were in.
  bool post(std::span<const T> values) {
    while (!values.empty()) {
      const std::size_t taken_in = post_some(values);
      if (taken_in == 0) return false;
      values = values.subspan(taken_in);
    }
    return true;
  }

  // The same for one value, which may be one that cannot be copied.
  bool post(T value) {
    return with_room([&] { put(std::move(value)); });
  }

  // Replaces the content of `values` by everything that waits.
  void take(std::vector<T>& values) {
    values.clear();
    {
      const std::lock_guard lock(mutex_);
      values.swap(waiting_);
      weight_ = 0;
    }
    if (!values.empty()) room_.notify_all();
  }

  // Ends every wait for room; posts from now on are refused. What waits can still be taken.
  void close() {
    {
      const std::lock_guard lock(mutex_);
      closed_ = true;
    }
    room_.notify_all();
  }

 private:
  // Copies in as many as there is room for, waiting for room for at least one. 0 when closed.
  std::size_t post_some(std::span<const T> values) {
    std::size_t count = 0;
    with_room([&] {
      for (; count < values.size() && has_room(); ++count) put(values[count]);
    });
    return count;
  }

  // Does `fill` once there is room. False when closed.
  template <typename Fill>
  bool with_room(Fill fill) {
    bool was_empty = false;
    {
      std::unique_lock lock(mutex_);
      room_.wait(lock, [this] { return closed_ || has_room(); });
      if (closed_) return false;
      was_empty = waiting_.empty();
      fill();
    }
    if (was_empty) wake_();
    return true;
  }

  template <typename Value>
  void put(Value&& value) {
    weight_ += weight(value);
    waiting_.push_back(std::forward<Value>(value));
  }

  bool has_room() const { return waiting_.size() < bounds_.count && weight_ < bounds_.weight; }

  const Bounds bounds_;
  const std::function<void()> wake_;
  std::mutex mutex_;  // guards all below
  std::condition_variable room_;
  std::vector<T> waiting_;
  std::size_t weight_ = 0;  // of what waits
  bool closed_ = false;
};

}  // namespace syncrelay
