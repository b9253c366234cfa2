#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "syncrelay/base/bytes.h"
#include "syncrelay/post/log_chunk.h"

namespace syncrelay {

// The writing end of the log: lays each event's frames down once, in chunks that all shards share.
// Relay thread only.
class LogWriter {
 public:
  // `window_bytes` is the size of the window that the readers keep; it decides the size of the
  // chunks.
  explicit LogWriter(std::uint64_t window_bytes);

  struct Written {
    std::shared_ptr<const LogChunk> chunk;
    std::uint64_t position;
    std::size_t size;
  };
  // Appends one text message made of `pieces`. Allocates only when a chunk is full.
  Written append(std::span<const std::string_view> pieces);

  // Appends the wire bytes of a message that was written before.
  Written append_wire(ByteSpan message);

  // A place to rewind() to, as long as nothing behind it was shown to a reader.
  struct Mark {
    std::shared_ptr<LogChunk> chunk;
    std::uint64_t end = 0;
  };
  Mark mark() const { return {chunk_, end_}; }
  void rewind(const Mark& mark);
  // The same to where a message began that this writer wrote there.
  void rewind_to(const std::shared_ptr<const LogChunk>& chunk, std::uint64_t position);

 private:
  std::byte* reserve(std::size_t size);

  const std::size_t chunk_bytes_;
  std::shared_ptr<LogChunk> chunk_;
  std::uint64_t end_ = 0;  // position behind the last message
};

}  // namespace syncrelay
