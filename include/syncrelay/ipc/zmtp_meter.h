#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace syncrelay {

// What a frame costs that ZeroMQ holds: its bytes and what lies around them, so that empty frames
// cost something, too.
constexpr std::uint64_t frame_weight(std::uint64_t bytes) {
  constexpr std::uint64_t kOverhead = 128;
  return bytes + kOverhead;
}

// Follows the bytes of one ZMTP connection (2.0 to 3.1) and says what they add up to: ZeroMQ hands
// a message over only when its last frame is there and has no bound for all of them together, so
// that this is the one place to see a message without an end. Looks at lengths only. Commands of
// the protocol count as messages, too, and are small.
//
// Behind CURVE (RFC 26) each frame is in a box, and so is the flag that says whether more follow:
// every frame counts as a message then, by what is in the box. Parts of a message that never ends
// are not seen as such; only who has a key that is allowed can send them. Before that, a peer says
// two commands, whose size is bounded, and not a byte more until it is told that it is let in.
class ZmtpMeter {
 public:
  enum class Mechanism : std::uint8_t { none, curve };

  explicit ZmtpMeter(Mechanism mechanism = Mechanism::none)
      : handshake_frames_left_(mechanism == Mechanism::curve ? kHandshakeFrames : 0),
        boxed_(mechanism == Mechanism::curve),
        let_in_(mechanism == Mechanism::none) {}

  // Goes on with the bytes that came next. Returns the weight of the messages that are complete
  // with them. A frame counts from its header on: that is when ZeroMQ makes room for it.
  std::uint64_t add(std::string_view bytes);

  // The weight of the message that is under way.
  std::uint64_t unfinished() const { return unfinished_; }

  // No message and no frame is under way.
  bool between_messages() const { return place_ == Place::flags && unfinished_ == 0; }

  // How many bytes may be read without going beyond the frame, or the part of it, that is under
  // way.
  std::uint64_t to_read() const { return missing_; }

  // The peer's protocol is older than ZMTP 2.0, and its frames look different; or it says more in
  // its handshake, or in a command, than there is to say.
  bool lost() const { return place_ == Place::lost; }

  // Its key is known to be allowed. What it said before was its handshake, what comes is messages.
  void let_in() { let_in_ = true; }
  bool is_let_in() const { return let_in_; }  // always so without CURVE

  // It has said all that a peer says in its handshake, and is not let in yet.
  bool asks() const { return handshake_frames_left_ == 0 && !let_in_; }
  bool has_begun() const { return greeting_size_ > 0; }
  bool has_sent() const { return has_sent_; }  // a whole message that is no command

 private:
  static constexpr std::uint8_t kHandshakeFrames = 2;  // HELLO and INITIATE

  enum class Place : std::uint8_t { greeting, rest_of_greeting, flags, length, body, lost };

  void take_byte(std::uint8_t byte);
  void take_greeting(std::uint8_t byte);
  void begin_body();
  bool is_command() const;
  void end_frame();

  Place place_ = Place::greeting;
  std::uint8_t flags_ = 0;
  std::uint8_t greeting_size_ = 0;  // so far
  std::uint8_t handshake_frames_left_;
  bool boxed_;
  bool let_in_;
  bool has_sent_ = false;
  std::uint64_t missing_ = 1;  // bytes until the place changes, at least
  std::uint64_t length_ = 0;   // of the frame
  std::uint64_t unfinished_ = 0;
  std::uint64_t finished_ = 0;  // by this add()
};

}  // namespace syncrelay
