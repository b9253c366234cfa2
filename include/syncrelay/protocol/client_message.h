#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "syncrelay/protocol/frame_reader.h"

namespace syncrelay {

// What a client may say that the relay listens to. Anything else is read and ignored.
enum class ClientMessage : std::uint8_t {
  ping,  // {"type":"sync:ping"}: asks for a heartbeat now
};

// `text`: a whole text message. An object whose first member of the name "type" is one of the
// above, written without escapes; further members are ignored.
std::optional<ClientMessage> parse_client_message(std::string_view text);

// Gathers the pieces of a client's messages as far as one can be of interest. The thread of its
// connection only.
//
// Invariant: it holds the text of one message that is cut, at most kMaxBytes.
class ClientMessageReader {
 public:
  static constexpr std::size_t kMaxBytes = 256;  // a longer message is ignored

  // Pieces in the order in which they came. What a message says when its last piece is here.
  std::optional<ClientMessage> take(const MessagePiece& piece);

 private:
  std::unique_ptr<std::string> begun_;  // null: no message is cut, or it is ignored
};

}  // namespace syncrelay
