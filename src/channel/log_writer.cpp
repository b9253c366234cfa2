#include "syncrelay/channel/log_writer.h"

#include <algorithm>
#include <cstring>

#include "syncrelay/protocol/frame.h"

namespace syncrelay {
namespace {

// Large chunks make few writes of a burst; small ones keep the window near its bound.
constexpr std::uint64_t kChunksPerWindow = 16;
constexpr std::uint64_t kMinChunkBytes = 64 * 1024;
constexpr std::uint64_t kMaxChunkBytes = 1024 * 1024;

}  // namespace

LogWriter::LogWriter(std::uint64_t window_bytes)
    : chunk_bytes_(std::clamp(window_bytes / kChunksPerWindow, kMinChunkBytes, kMaxChunkBytes)) {}

LogWriter::Written LogWriter::append(std::span<const std::string_view> pieces) {
  std::size_t payload = 0;
  for (const std::string_view piece : pieces) payload += piece.size();
  const std::size_t size = wire_size(payload);
  MessageWriter writer(reserve(size), payload);
  for (const std::string_view piece : pieces) writer.write(piece);
  const std::uint64_t position = end_;
  end_ += size;
  return {chunk_, position, size};
}

LogWriter::Written LogWriter::append_wire(ByteSpan message) {
  std::memcpy(reserve(message.size()), message.data(), message.size());
  const std::uint64_t position = end_;
  end_ += message.size();
  return {chunk_, position, message.size()};
}

void LogWriter::rewind(const Mark& mark) {
  chunk_ = mark.chunk;
  end_ = mark.end;
}

// If the message was the first one of its chunk, the chunk before it stays as it is.
void LogWriter::rewind_to(const std::shared_ptr<const LogChunk>& chunk, std::uint64_t position) {
  chunk_ = std::const_pointer_cast<LogChunk>(chunk);
  end_ = position;
}

std::byte* LogWriter::reserve(std::size_t size) {
  if (!chunk_ || end_ - chunk_->begin() + size > chunk_->capacity()) {
    chunk_ = std::make_shared<LogChunk>(end_, std::max(size, chunk_bytes_));
  }
  return chunk_->at(end_ - chunk_->begin());
}

}  // namespace syncrelay
