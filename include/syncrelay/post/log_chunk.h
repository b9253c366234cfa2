#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "syncrelay/base/bytes.h"
#include "syncrelay/post/deflated_chunk.h"

namespace syncrelay {

// A stretch of the log's wire bytes. The relay's thread appends behind what it has published; every
// other thread reads only what an Update told it of, and the mailbox orders the two. A message
// never spans two chunks. Freed when the last window (or the last slow client in the middle of a
// message) lets go of it.
class LogChunk {
 public:
  // `begin` is the chunk's place in the log, in bytes since its start.
  LogChunk(std::uint64_t begin, std::size_t capacity)
      : begin_(begin), capacity_(capacity), bytes_(new std::byte[capacity]) {}

  std::uint64_t begin() const { return begin_; }
  std::size_t capacity() const { return capacity_; }

  // Relay thread only. Precondition: offset < capacity.
  std::byte* at(std::size_t offset) { return bytes_.get() + offset; }

  // Precondition: [from, to) is published and lies in this chunk; positions in the log.
  ByteSpan read(std::uint64_t from, std::uint64_t to) const {
    return {bytes_.get() + (from - begin_), static_cast<std::size_t>(to - from)};
  }

  // Its events once more, for those who have them deflated. Thread-safe.
  DeflatedChunk& deflated() const { return deflated_; }

 private:
  const std::uint64_t begin_;
  const std::size_t capacity_;
  const std::unique_ptr<std::byte[]> bytes_;
  mutable DeflatedChunk deflated_;
};

}  // namespace syncrelay
