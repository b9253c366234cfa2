#pragma once

#include <atomic>
#include <cstdint>
#include <utility>

namespace syncrelay {

// A number of things that are there now. Each thing holds a Unit, which counts it from its making
// to its end: nothing can be taken off that was not put on. Thread-safe; must outlive its units.
class Tally {
 public:
  class Unit {
   public:
    Unit() = default;
    explicit Unit(Tally& tally) : tally_(&tally) {
      tally.count_.fetch_add(1, std::memory_order_relaxed);
    }
    Unit(Unit&& other) noexcept : tally_(std::exchange(other.tally_, nullptr)) {}
    Unit& operator=(Unit&& other) noexcept {
      std::swap(tally_, other.tally_);
      return *this;
    }
    ~Unit() {
      if (tally_ != nullptr) tally_->count_.fetch_sub(1, std::memory_order_relaxed);
    }

   private:
    Tally* tally_ = nullptr;  // null: counts nothing
  };

  std::uint32_t count() const { return count_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint32_t> count_{0};
};

}  // namespace syncrelay
