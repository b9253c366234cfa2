#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

namespace syncrelay::bench {

// Counts the messages in a server's WebSocket byte stream by frame headers alone, across any split
// of the bytes; payloads are skipped. A ping's payload is kept until take_ping(), so it can be
// answered. Rejected: counting bytes with MSG_TRUNC, cheaper still, but blind to pings and to lost
// messages.
class FrameCounter {
 public:
  // How many messages (not fragments, not control frames) end within these bytes.
  std::uint64_t feed(const char* bytes, const char* end) {
    std::uint64_t finished = 0;
    while (bytes != end) {
      if (!in_payload_) {
        bytes = read_header(bytes, end);
        if (!in_payload_) break;
      }
      auto size = std::min<std::uint64_t>(remaining_, static_cast<std::uint64_t>(end - bytes));
      if (opcode() == kPing) ping_.append(bytes, size);
      bytes += size;
      remaining_ -= size;
      if (remaining_ == 0) finished += end_frame();
    }
    return finished;
  }

  bool has_ping() const { return ping_finished_; }

  std::string take_ping() {
    ping_finished_ = false;
    return std::exchange(ping_, {});
  }

 private:
  static constexpr unsigned kPing = 0x9;
  static constexpr unsigned kFirstControl = 0x8;

  unsigned opcode() const { return header_[0] & 0x0f; }

  std::uint64_t end_frame() {
    in_payload_ = false;
    header_size_ = 0;
    if (opcode() == kPing) ping_finished_ = true;
    bool final_fragment = (header_[0] & 0x80) != 0;
    return final_fragment && opcode() < kFirstControl ? 1 : 0;
  }

  std::size_t header_length() const {
    if (header_size_ < 2) return 2;
    unsigned short_length = header_[1] & 0x7f;  // servers never mask
    return short_length == 126 ? 4 : short_length == 127 ? 10 : 2;
  }

  const char* read_header(const char* bytes, const char* end) {
    while (header_size_ < header_length()) {
      if (bytes == end) return bytes;
      header_[header_size_++] = static_cast<std::uint8_t>(*bytes++);
    }
    remaining_ = header_size_ == 2 ? header_[1] & 0x7f : 0;
    for (std::size_t i = 2; i < header_size_; ++i) remaining_ = remaining_ << 8 | header_[i];
    in_payload_ = true;
    return bytes;
  }

  std::array<std::uint8_t, 10> header_{};
  std::uint8_t header_size_ = 0;
  bool in_payload_ = false;
  bool ping_finished_ = false;
  std::uint64_t remaining_ = 0;
  std::string ping_;
};

}  // namespace syncrelay::bench
