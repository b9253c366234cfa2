#pragma once

#include <cstddef>
#include <utility>
#include <vector>

namespace syncrelay {

// A queue with random access in one block of memory that doubles when it is full and is then reused
// for ever: a window that slides allocates nothing. Unlike std::deque, which allocates and frees as
// it moves.
template <typename T>
class Ring {
 public:
  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }

  // Precondition of all below: index < size(), or not empty.
  T& operator[](std::size_t index) { return slots_[slot(index)]; }
  const T& operator[](std::size_t index) const { return slots_[slot(index)]; }
  const T& front() const { return (*this)[0]; }
  const T& back() const { return (*this)[size_ - 1]; }

  void push_back(T value) {
    if (size_ == slots_.size()) grow();
    slots_[slot(size_)] = std::move(value);
    ++size_;
  }

  void pop_back() {
    slots_[slot(size_ - 1)] = T{};
    --size_;
  }

  void pop_front() {
    slots_[head_] = T{};
    head_ = (head_ + 1) & (slots_.size() - 1);
    --size_;
  }

 private:
  std::size_t slot(std::size_t index) const { return (head_ + index) & (slots_.size() - 1); }

  void grow() {
    std::vector<T> larger(slots_.empty() ? 16 : slots_.size() * 2);
    for (std::size_t index = 0; index < size_; ++index) larger[index] = std::move((*this)[index]);
    slots_ = std::move(larger);
    head_ = 0;
  }

  std::vector<T> slots_;  // size: a power of two, or none
  std::size_t head_ = 0;
  std::size_t size_ = 0;
};

}  // namespace syncrelay
