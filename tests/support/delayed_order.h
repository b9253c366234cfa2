#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "syncrelay/protocol/command_decoder.h"
#include "syncrelay/relay/order.h"

namespace syncrelay::testing {

// An order whose letters come back when the test lets them, with commands of another relay between
// them. The relay's side is its thread's, the test's side any thread's.
class DelayedOrder final : public Order {
 public:
  // `wake`: there is something to take.
  explicit DelayedOrder(std::function<void()> wake = [] {}) : wake_(std::move(wake)) {}

  void submit(const Letter& letter) override {
    const std::lock_guard lock(mutex_);
    const auto* const commanded = std::get_if<Commanded>(&letter);
    under_way_.push_back({letter, commanded ? std::string(commanded->message) : "", true});
  }

  const Ordered* next() override {
    const std::lock_guard lock(mutex_);
    if (back_.empty()) return nullptr;
    taken_ = std::move(back_.front());
    back_.pop_front();
    if (auto* const commanded = std::get_if<Commanded>(&taken_.letter)) {
      commanded->message = taken_.message;
      commanded->command = decoder_.decode(taken_.message).value();
    }
    at_ += std::chrono::milliseconds(1);
    ordered_ = {{{1'000'000 + at_.count() / 1000}, at_, taken_.own}, taken_.letter};
    return &ordered_;
  }

  Room room() const override {
    const std::lock_guard lock(mutex_);
    return room_;
  }
  bool is_shared() const override { return true; }

  // The test's side.
  std::size_t under_way() const {
    const std::lock_guard lock(mutex_);
    return under_way_.size();
  }
  // The first of those that are under way come back.
  void let_back(std::size_t count = 1) {
    {
      const std::lock_guard lock(mutex_);
      for (; count > 0; --count) {
        back_.push_back(std::move(under_way_.front()));
        under_way_.pop_front();
      }
    }
    wake_();
  }
  // The first of those that are under way is lost.
  void lose() {
    const std::lock_guard lock(mutex_);
    under_way_.pop_front();
  }
  // Another relay has sent it.
  void add_of_another(std::string message) {
    {
      const std::lock_guard lock(mutex_);
      back_.push_back({Commanded{{}, nullptr, 1}, std::move(message), false});
    }
    wake_();
  }
  void set_room(Room room) {
    {
      const std::lock_guard lock(mutex_);
      room_ = room;
    }
    wake_();
  }

 private:
  struct Kept {
    Letter letter;
    std::string message;  // of a command
    bool own = true;
  };

  const std::function<void()> wake_;
  mutable std::mutex mutex_;
  std::deque<Kept> under_way_;
  std::deque<Kept> back_;
  Room room_ = Room::all;
  CommandDecoder decoder_{SIZE_MAX};
  Kept taken_{Expire{}, {}, true};
  Ordered ordered_;
  Duration at_{};
};

}  // namespace syncrelay::testing
