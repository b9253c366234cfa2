#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "syncrelay/base/ids.h"
#include "syncrelay/protocol/frame_reader.h"

namespace syncrelay {

// {"type":"sync:ping"}: asks for a heartbeat now.
struct PingMessage {};

// A position that a client says it has.
struct AskedPosition {
  std::string epoch;
  Seq seq;
};

// {"type":"sync:subscribe","channel":…,"epoch":…,"seq":…}, or `channel` in the URL.
struct SubscribeMessage {
  // As the client wrote it, whatever that is: no is_channel_name() where it was no string. Empty:
  // the default one.
  std::string channel;
  bool wants_resume = false;                          // an epoch or a seq was there,
  std::optional<AskedPosition> after = std::nullopt;  // and both were well formed
};

// {"type":"sync:unsubscribe","channel":…}
struct UnsubscribeMessage {
  std::string channel;
};

// What a client may say that the relay listens to. Anything else is read and ignored.
using ClientMessage = std::variant<PingMessage, SubscribeMessage, UnsubscribeMessage>;

// `text`: a whole text message. An object whose first member of the name "type" is one of the
// above, written without escapes; further members are ignored, and of several of one name the first
// counts.
std::optional<ClientMessage> parse_client_message(std::string_view text);

// Gathers the pieces of a client's messages as far as one can be of interest. The thread of its
// connection only.
//
// Invariant: it holds the text of one message that is cut, at most kMaxBytes.
class ClientMessageReader {
 public:
  static constexpr std::size_t kMaxBytes = 1024;  // a longer message is ignored

  // Pieces in the order in which they came. What a message says when its last piece is here.
  std::optional<ClientMessage> take(const MessagePiece& piece);

 private:
  std::unique_ptr<std::string> begun_;  // null: no message is cut, or it is ignored
};

}  // namespace syncrelay
