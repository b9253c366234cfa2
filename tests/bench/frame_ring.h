#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace syncrelay::bench {

// The latest events as WebSocket frames, ready to send, at positions that only grow. The memory is
// mapped twice in a row, so that every range of positions is one range of bytes. One thread only.
class FrameRing {
 public:
  // `capacity` in bytes, a multiple of the page size.
  explicit FrameRing(std::size_t capacity);
  ~FrameRing();
  FrameRing(const FrameRing&) = delete;
  FrameRing& operator=(const FrameRing&) = delete;

  // Adds one event as a text message (one frame, however long). `data` is JSON, taken as it is.
  void append(std::string_view data);

  std::uint64_t begin() const { return end_ > capacity_ ? end_ - capacity_ : 0; }
  std::uint64_t end() const { return end_; }
  std::uint64_t seq() const { return seq_; }

  // The bytes from `from` to `to`, valid until the next append. begin() <= from <= to <= end().
  std::string_view bytes(std::uint64_t from, std::uint64_t to) const;

  // Where the frame that starts at `position` ends.
  std::uint64_t frame_end(std::uint64_t position) const;

 private:
  void put(std::string_view bytes);

  std::size_t capacity_;
  char* memory_;
  std::uint64_t end_ = 0;
  std::uint64_t seq_ = 0;
};

}  // namespace syncrelay::bench
