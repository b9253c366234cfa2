#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "syncrelay/base/bytes.h"

// Server-side WebSocket framing (RFC 6455 section 5.2): unmasked text messages, cut into fragments
// of kFragmentBytes.
namespace syncrelay {

// Which part of a message a MessageWriter lays down: all of it, or the fragments before, between or
// after cuts.
enum class MessagePart : std::uint8_t { whole, beginning, middle, end };

// Whether the payload is the text, or the text deflated (RFC 7692 section 6), which its first frame
// tells.
enum class Coding : std::uint8_t { plain, deflated };

// Bytes on the wire of `payload` bytes. Precondition: payload > 0 for
// MessagePart::beginning and middle.
std::size_t wire_size(std::size_t payload);

// Lays a text message with a payload of known length into memory that the caller provides
// (wire_size(payload) bytes), putting a fragment header in wherever one is due. Precondition: the
// pieces written add up to exactly `payload` bytes.
class MessageWriter {
 public:
  MessageWriter(std::byte* out, std::size_t payload, MessagePart part = MessagePart::whole,
                Coding coding = Coding::plain);
  void write(std::string_view piece);

 private:
  void begin_fragment();

  std::byte* out_;
  std::size_t left_;  // payload bytes still to come
  std::size_t left_in_fragment_ = 0;
  bool first_;         // the next fragment carries the text opcode
  bool ends_message_;  // the last fragment carries FIN
  bool deflated_;      // the fragment with the opcode carries RSV1
};

// A ping frame. Its payload is not empty, because libwebsockets 4.1 does not tell of an empty pong.
inline constexpr std::string_view kPingFrame{"\x89\x01p", 3};

// The frame that `frames` begins with. Precondition: MessageWriter made it.
struct FrameParts {
  ByteSpan payload;
  std::size_t size;  // with its header
};
FrameParts first_frame(ByteSpan frames);

// Where the first message of `frames` ends; 0 when it is not there to its end. Precondition:
// MessageWriter made it.
std::size_t message_end(ByteSpan frames);

// Where the frame ends that the byte at `offset` belongs to; `offset` itself when a frame begins
// there. Preconditions: a frame begins at frames[0]; offset <= frames.size(); the bytes hold whole
// frames.
std::size_t frame_end(ByteSpan frames, std::size_t offset);

}  // namespace syncrelay
