#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

namespace syncrelay {

// A vector that has room for one value in itself, and allocates for the second: for what there is
// mostly one of, in very many places. It gives back memory as it gets smaller. At most 2^31 values,
// which stay where they are until the next change.
template <typename T>
class Few {
 public:
  Few() {}
  Few(const Few& other) {
    reserve(other.size_);
    for (const T& value : other) push_back(value);
  }
  Few(Few&& other) noexcept { take(other); }
  Few& operator=(Few other) noexcept {
    destroy();
    take(other);
    return *this;
  }
  ~Few() { destroy(); }

  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }

  T* begin() { return data(); }
  T* end() { return data() + size_; }
  const T* begin() const { return data(); }
  const T* end() const { return data() + size_; }

  // Precondition of all three: index < size(), or not empty.
  T& operator[](std::size_t index) { return data()[index]; }
  const T& operator[](std::size_t index) const { return data()[index]; }
  T& front() { return data()[0]; }
  const T& front() const { return data()[0]; }
  T& back() { return data()[size_ - 1]; }
  const T& back() const { return data()[size_ - 1]; }

  // Precondition: at least size(), and not 0 then.
  void reserve(std::size_t capacity) {
    if (capacity > capacity_) move_to(static_cast<std::uint32_t>(capacity));
  }

  void push_back(T value) { insert(size_, std::move(value)); }

  // Precondition: index <= size().
  void insert(std::size_t index, T value) {
    if (size_ == capacity_) move_to(capacity_ * 2);
    std::construct_at(data() + size_, std::move(value));
    std::rotate(begin() + index, begin() + size_, begin() + size_ + 1);
    ++size_;
  }

  // Precondition: index + count <= size().
  void erase(std::size_t index, std::size_t count = 1) {
    std::move(begin() + index + count, end(), begin() + index);
    std::destroy(end() - count, end());
    size_ -= static_cast<std::uint32_t>(count);
    constexpr std::uint32_t kSparse = 4;
    if (size_ <= 1 || size_ <= capacity_ / kSparse) move_to(std::max<std::uint32_t>(size_, 1));
  }

 private:
  union Room {
    Room() {}
    ~Room() {}
    T one;
    T* many;
  };

  T* data() { return capacity_ == 1 ? &room_.one : room_.many; }
  const T* data() const { return capacity_ == 1 ? &room_.one : room_.many; }

  // Precondition: not under size(), and not 0.
  void move_to(std::uint32_t capacity) {
    if (capacity == capacity_) return;
    T* const block = capacity_ > 1 ? room_.many : nullptr;
    T* const from = block == nullptr ? &room_.one : block;
    T* const to = capacity == 1 ? &room_.one : std::allocator<T>().allocate(capacity);
    std::uninitialized_move(from, from + size_, to);
    std::destroy(from, from + size_);
    if (block != nullptr) std::allocator<T>().deallocate(block, capacity_);
    if (capacity > 1) room_.many = to;
    capacity_ = capacity;
  }

  // Precondition: it has no value and no memory.
  void take(Few& other) {
    if (other.capacity_ > 1) {
      room_.many = other.room_.many;
    } else if (other.size_ == 1) {
      std::construct_at(&room_.one, std::move(other.room_.one));
      std::destroy_at(&other.room_.one);
    }
    size_ = std::exchange(other.size_, 0);
    capacity_ = std::exchange(other.capacity_, 1);
  }

  void destroy() {
    std::destroy(begin(), end());
    if (capacity_ > 1) std::allocator<T>().deallocate(room_.many, capacity_);
  }

  Room room_;
  std::uint32_t size_ = 0;
  std::uint32_t capacity_ = 1;  // 1: in itself
};

}  // namespace syncrelay
