#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

namespace syncrelay {

// A queue with random access in one block of memory that doubles when it is full and is then reused
// for ever: a window that slides allocates nothing. Unlike std::deque, which allocates and frees as
// it moves. An empty one that never held anything has no block, and the first block has room for
// one: there may be very many rings of very few. At most 2^31 values.
template <typename T>
class Ring {
 public:
  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  std::size_t capacity() const { return capacity_; }

  // Precondition of all below: index < size(), or not empty.
  T& operator[](std::size_t index) { return slots_[slot(index)]; }
  const T& operator[](std::size_t index) const { return slots_[slot(index)]; }
  T& front() { return (*this)[0]; }
  const T& front() const { return (*this)[0]; }
  T& back() { return (*this)[size_ - 1]; }
  const T& back() const { return (*this)[size_ - 1]; }

  void push_back(T value) {
    if (size_ == capacity_) resize(capacity_ == 0 ? 1 : capacity_ * 2);
    slots_[slot(size_)] = std::move(value);
    ++size_;
  }

  void pop_back() {
    slots_[slot(size_ - 1)] = T{};
    --size_;
  }

  void pop_front() {
    slots_[head_] = T{};
    head_ = (head_ + 1) & (capacity_ - 1);
    --size_;
  }

  // Gives back memory when most of it is not used, for one of many whose turns to be large come one
  // after the other.
  void trim() {
    constexpr std::uint32_t kSparse = 8;
    if (size_ == 0) {
      *this = Ring();
    } else if (size_ <= capacity_ / kSparse) {
      resize(capacity_ / 2);
    }
  }

 private:
  std::size_t slot(std::size_t index) const { return (head_ + index) & (capacity_ - 1); }

  // Precondition: a power of two, not under size().
  void resize(std::uint32_t capacity) {
    auto slots = std::make_unique<T[]>(capacity);
    for (std::size_t index = 0; index < size_; ++index) slots[index] = std::move((*this)[index]);
    slots_ = std::move(slots);
    capacity_ = capacity;
    head_ = 0;
  }

  std::unique_ptr<T[]> slots_;
  std::uint32_t capacity_ = 0;  // a power of two, or 0
  std::uint32_t head_ = 0;
  std::uint32_t size_ = 0;
};

}  // namespace syncrelay
