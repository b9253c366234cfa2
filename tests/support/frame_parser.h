#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace syncrelay::testing {

enum class Opcode : std::uint8_t { continuation = 0, text = 1, close = 8, ping = 9, pong = 10 };

// A text message put together from its fragments, or a control frame.
struct WireMessage {
  Opcode opcode = Opcode::text;
  std::string text;
  std::size_t fragments = 1;
  bool deflated = false;  // on the wire
};

// Reads a WebSocket server's output as strictly as RFC 6455 section 5 allows a client to. Takes the
// bytes in pieces of any size.
class FrameParser {
 public:
  void feed(std::string_view bytes);

  // permessage-deflate is negotiated (RFC 7692).
  void inflate() { inflates_ = true; }

  bool between_frames() const { return buffer_.empty(); }
  bool between_messages() const { return buffer_.empty() && !in_message_; }

  // What was wrong first, empty when nothing was.
  const std::string& error() const { return error_; }

  // The messages that are complete, in order; each is given once.
  std::vector<WireMessage> take_messages();

 private:
  struct Header {
    bool fin;
    bool deflated;
    Opcode opcode;
    std::size_t size;  // of the header itself
    std::size_t payload;
  };

  bool take_frame();
  bool read_header(Header& header);
  void add(const Header& header, std::string_view payload);
  void add_control(const Header& header, std::string_view payload);
  void end_message();
  bool fail(std::string why);

  bool inflates_ = false;
  std::string buffer_;  // begins where a frame begins
  bool in_message_ = false;
  WireMessage message_;
  std::vector<WireMessage> messages_;
  std::string error_;
};

// All messages in `wire`, which must hold whole messages and nothing else; an error becomes the one
// message.
std::vector<WireMessage> parse_messages(std::string_view wire);

// The texts of the messages; control frames as "<ping>" and so on.
std::vector<std::string> texts(const std::vector<WireMessage>& messages);

}  // namespace syncrelay::testing
