#include "syncrelay/channel/log_writer.h"

#include <doctest/doctest.h>

#include <vector>

#include "support/frame_parser.h"

namespace syncrelay {
namespace {

LogWriter::Written append(LogWriter& writer, std::string_view text) {
  return writer.append({&text, 1});
}

std::string text_at(const LogWriter::Written& written) {
  const ByteSpan bytes = written.chunk->read(written.position, written.position + written.size);
  const auto messages =
      testing::parse_messages({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  return messages.size() == 1 ? messages.front().text : "error";
}

TEST_CASE("Pieces become one message") {
  LogWriter writer(1 << 20);
  const std::vector<std::string_view> pieces = {"{", "", "\"a\"", ":1}"};
  CHECK(text_at(writer.append(pieces)) == "{\"a\":1}");
}

TEST_CASE("Messages lie one behind the other, and none spans two chunks") {
  LogWriter writer(0);
  std::uint64_t end = 0;
  std::vector<LogWriter::Written> all;
  for (std::size_t number = 0; number < 300; ++number) {
    all.push_back(append(writer, std::string(number * 7, 'x')));
    CHECK(all.back().position == end);
    end += all.back().size;
    CHECK(all.back().chunk->begin() <= all.back().position);
    CHECK(end <= all.back().chunk->begin() + all.back().chunk->capacity());
  }
  for (std::size_t number = 0; number < all.size(); ++number)
    CHECK(text_at(all[number]).size() == number * 7);
  CHECK(all.front().chunk != all.back().chunk);
}

TEST_CASE("Small messages share a chunk, a message larger than a chunk has one of its own") {
  LogWriter writer(1 << 20);
  const auto first = append(writer, "a");
  CHECK(append(writer, "b").chunk == first.chunk);
  const auto large = append(writer, std::string(3'000'000, 'x'));
  CHECK(large.chunk != first.chunk);
  CHECK(large.chunk->capacity() == large.size);
  CHECK(append(writer, "c").chunk != large.chunk);
  CHECK(text_at(first) == "a");
}

TEST_CASE("Chunks are a sixteenth of the window, within bounds") {
  const auto capacity = [](std::uint64_t window) {
    LogWriter writer(window);
    return append(writer, "x").chunk->capacity();
  };
  CHECK(capacity(0) == 64 * 1024);
  CHECK(capacity(4 << 20) == 256 * 1024);
  CHECK(capacity(16 << 20) == 1024 * 1024);
  CHECK(capacity(1ULL << 40) == 1024 * 1024);
}

TEST_CASE("A chunk that only the past refers to can be freed") {
  LogWriter writer(0);
  std::weak_ptr<const LogChunk> first = append(writer, std::string(60'000, 'x')).chunk;
  append(writer, std::string(60'000, 'x'));
  CHECK(first.expired());
}

}  // namespace
}  // namespace syncrelay
