#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "syncrelay/base/bytes.h"

namespace syncrelay {

inline constexpr std::size_t kMaxControlPayload = 125;  // RFC 6455 section 5.5
inline constexpr std::size_t kMaxCloseReason = 123;     // the code takes the other two

// A control frame from the server, ready for the wire (RFC 6455 section 5.5: one fragment,
// unmasked). A value that allocates nothing.
class ControlFrame {
 public:
  ByteSpan bytes() const { return {bytes_.data(), size_}; }

 private:
  friend ControlFrame pong_frame(std::string_view payload);
  friend ControlFrame close_frame(std::optional<std::uint16_t> code, std::string_view reason);

  explicit ControlFrame(std::byte head);
  void append(std::string_view payload);

  std::array<std::byte, 2 + kMaxControlPayload> bytes_;
  std::uint8_t size_ = 2;
};

// The answer to a ping (section 5.5.3). Precondition: payload.size() <= kMaxControlPayload.
ControlFrame pong_frame(std::string_view payload);

// Without a code it is the answer to a close frame that has none. Preconditions: a code that may go
// over the wire (section 7.4); reason is UTF-8 of at most kMaxCloseReason bytes, empty without a
// code.
ControlFrame close_frame(std::optional<std::uint16_t> code, std::string_view reason = {});

}  // namespace syncrelay
