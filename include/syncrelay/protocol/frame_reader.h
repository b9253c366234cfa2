#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <variant>

#include "syncrelay/base/utf8.h"
#include "syncrelay/protocol/close_cause.h"
#include "syncrelay/protocol/control_frame.h"
#include "syncrelay/protocol/frame.h"

namespace syncrelay {

enum class MessageKind : std::uint8_t { text, binary };

// A stretch of a message, in the order in which it arrived. A fragment (RFC 6455 section 5.4) gives
// at least one, an empty fragment an empty one. That text is UTF-8 is checked up to its end, unless
// it is deflated; it may end inside a character unless the message ends here.
struct MessagePiece {
  MessageKind kind;
  std::string_view payload;
  bool begins;                    // it is the first of its message
  bool ends;                      // and this the last
  Coding coding = Coding::plain;  // of the message
};

// Section 5.5.2: to be answered by a pong with the same payload.
struct PingFrame {
  std::string_view payload;
};

// Section 5.5.3.
struct PongFrame {
  std::string_view payload;
};

// Section 5.5.1: to be answered by a close frame, unless one was sent already.
struct CloseFrame {
  std::optional<std::uint16_t> code;  // one that may go over the wire (section 7.4)
  std::string_view reason;            // UTF-8
};

// The client broke the protocol or a limit; the connection has to be closed with the code of
// `cause` (section 7.1.7).
struct FrameFault {
  CloseCause cause;  // protocol_error, invalid_utf8 or message_too_large
};

using Incoming = std::variant<MessagePiece, PingFrame, PongFrame, CloseFrame, FrameFault>;

// Reads what a client sends on an established connection (RFC 6455 section 5), however it is cut.
// Pure: bytes in, values out. The thread of its connection only.
//
// Refused as soon as the byte that shows it is there:
//
// - protocol_error: an unmasked frame (5.1); a reserved bit, but for the one that tells of a
// deflated
//   message where that is negotiated (RFC 7692 section 6.1); an unknown opcode, a length not in its
//   shortest form or over 63 bits (5.2); a continuation of nothing, a new message inside another
//   (5.4); a control frame of several fragments or over 125 bytes (5.5); a close frame with half a
//   code (5.5.1) or a code that may not be sent (7.4)
// - invalid_utf8: text and close reasons (8.1)
// - message_too_large: a message over all its fragments, by the header that exceeds the limit
//
// Invariants: it holds no payload but that of one control frame that is cut (at most 125 bytes, let
// go of when it is handed out). After a CloseFrame or a FrameFault the rest is ignored
// (5.5.1, 7.1.7).
//
// Rejected: to gather whole messages here. The relay wants to know that they are well-formed, not
// what they say, and a hundred thousand idle connections pay for every byte of state.
class FrameReader {
 public:
  // `inflates`: permessage-deflate is negotiated. What is limited then is the deflated message.
  explicit FrameReader(std::uint64_t max_message_bytes, bool inflates = false)
      : max_message_bytes_(max_message_bytes), inflates_(inflates) {}

  // What comes next in `bytes`, which it takes from the front and unmasks in place; nothing when
  // they are used up. What it returns points into them or into the reader: valid until the next
  // call, and no longer than the bytes.
  std::optional<Incoming> next(std::span<std::byte>& bytes);

  // Whether a CloseFrame or a FrameFault was returned: all that follows is ignored.
  bool over() const { return step_ == Step::over; }

 private:
  enum class Step : std::uint8_t { opcode, length, length_16, length_64, mask, payload, over };
  enum class Message : std::uint8_t { none, text, binary };

  // A control frame's payload that did not arrive in one piece.
  struct HeldPayload {
    std::uint8_t size = 0;
    std::array<std::byte, kMaxControlPayload> bytes;
  };

  // Each of these: why the header cannot be, if it cannot.
  std::optional<CloseCause> take_header(std::byte byte);
  std::optional<CloseCause> take_opcode(std::byte byte);
  std::optional<CloseCause> take_length(std::byte byte);
  std::optional<CloseCause> take_long_length(std::byte byte);
  std::optional<CloseCause> end_length();
  void take_mask(std::byte byte);

  std::string_view take_payload(std::span<std::byte>& bytes);
  std::optional<Incoming> next_piece(std::span<std::byte>& bytes);
  std::optional<Incoming> next_control(std::span<std::byte>& bytes);
  void end_message();
  void hold(std::string_view payload);
  Incoming control_frame(std::string_view payload);
  Incoming close(std::string_view payload);
  Incoming fail(CloseCause cause);

  std::uint8_t opcode() const { return head_ & 0x0f; }
  bool last_fragment() const { return (head_ & 0x80) != 0; }
  bool reserved_bits_fit() const;
  bool control() const { return (head_ & 0x08) != 0; }

  const std::uint64_t max_message_bytes_;
  std::uint64_t message_bytes_ = 0;  // of the message, as its fragments announced them
  std::uint64_t payload_left_ = 0;   // of the frame; while its length is read: what is read of it
  std::unique_ptr<HeldPayload> held_;
  std::array<std::byte, 4> mask_{};  // begins with what the next byte of the payload takes
  Utf8Check text_;                   // of the message; complete between messages
  std::uint8_t head_ = 0;            // the frame's first byte: FIN and opcode
  Step step_ : 3 = Step::opcode;
  std::uint8_t due_ : 4 = 0;  // bytes of the long length or the mask that are still to come
  bool begun_ : 1 = false;    // a piece of the message was returned
  Message message_ : 2 = Message::none;
  bool deflated_ : 1 = false;  // the message is
  const bool inflates_ : 1;
};

static_assert(sizeof(FrameReader) <= 40, "every connection has one");

}  // namespace syncrelay
