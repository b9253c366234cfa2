#pragma once

#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "syncrelay/redis/checkpoint.h"

namespace syncrelay {

// Where the reader asks the user for its state, and where that is handed in. One at a time: who
// asks anew no longer wants what was asked for before. Thread-safe.
class CheckpointDesk {
 public:
  enum class Purpose : std::uint8_t { turn, founding };
  struct Wanted {
    Purpose purpose;
    Position position;  // behind which the user is when it is asked
    Ledger ledger;
    std::string epoch;
    NodeId relay;
  };
  struct Made {
    Wanted wanted;
    std::string state;
  };

  // The number under which it is handed in.
  std::uint64_t ask(Wanted wanted) {
    const std::lock_guard lock(mutex_);
    wanted_ = std::move(wanted);
    state_.reset();
    return ++number_;
  }

  bool is_asked() const {
    const std::lock_guard lock(mutex_);
    return wanted_.has_value();
  }

  void hand_in(std::uint64_t number, std::string state) {
    const std::lock_guard lock(mutex_);
    if (number == number_ && wanted_) state_ = std::move(state);
  }

  // What was handed in for that purpose, once.
  std::optional<Made> take(Purpose purpose) {
    const std::lock_guard lock(mutex_);
    if (!wanted_ || !state_ || wanted_->purpose != purpose) return std::nullopt;
    Made made{std::move(*wanted_), std::move(*state_)};
    drop_locked();
    return made;
  }

  void drop() {
    const std::lock_guard lock(mutex_);
    drop_locked();
  }

 private:
  void drop_locked() {
    wanted_.reset();
    state_.reset();
  }

  mutable std::mutex mutex_;
  std::uint64_t number_ = 0;
  std::optional<Wanted> wanted_;
  std::optional<std::string> state_;
};

}  // namespace syncrelay
