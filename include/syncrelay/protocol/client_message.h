#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "syncrelay/base/clock.h"
#include "syncrelay/base/ids.h"
#include "syncrelay/protocol/frame_reader.h"
#include "syncrelay/protocol/inflate_rate.h"
#include "syncrelay/protocol/inflater.h"
#include "syncrelay/protocol/refused_message.h"

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

// What each of the following has: `ref`, by which the client recognises the answer, and what is
// wrong with the message, as far as its text shows it.
struct AnsweredMessage {
  std::string ref;  // 1 to kMaxRefBytes bytes; empty: none
  std::optional<RefusedMessage> fault;
};

// {"type":"sync:hello","id":…,"info":{…},"ref":…,"epoch":…,"seq":…}, or of the type that was chosen
// in its place, where all other members are the info.
struct HelloMessage : AnsweredMessage {
  std::string id;                                     // is_identity(), unless there is a fault
  std::string info;                                   // JSON object; empty: left out
  bool wants_resume = false;                          // in the personal channel
  std::optional<AskedPosition> after = std::nullopt;  // see SubscribeMessage
};

// {"type":"sync:publish","channel":…,"event":…,"data":…,"ref":…}
struct PublishMessage : AnsweredMessage {
  std::string channel;  // empty or is_channel_name(), unless there is a fault
  std::string event;    // JSON string with its quotes
  std::string data;     // JSON text; "null" when it was left out
};

// {"type":"sync:token","token":…,"ref":…}
struct TokenMessage : AnsweredMessage {
  std::string token;  // whatever it is; empty: no string was there
};

// Any type that does not begin with `sync:`. With a fault also what is for nobody.
struct BackendMessage : AnsweredMessage {
  std::string channel;  // that it names: is_channel_name(), or empty for all else
  std::string text;     // JSON object, as it came
};

// Its client is to be closed: there is no room for the rest of it, or it is deflated and does not
// inflate to a text that may be, or may not be inflated now.
struct UnreadableMessage {
  CloseCause cause;
};

// What a client may say that is listened to. Anything else is read and ignored.
using ClientMessage = std::variant<PingMessage, SubscribeMessage, UnsubscribeMessage, HelloMessage,
                                   PublishMessage, TokenMessage, BackendMessage, UnreadableMessage>;

inline constexpr std::string_view kHelloType = "sync:hello";  // which is always one
// Of the messages that have no `ref`. A longer one is ignored.
inline constexpr std::size_t kMaxUnansweredBytes = 1024;

// `text`: a whole text message. An object with a first member of the name "type", written without
// escapes; of several of one name the first counts. `hello_type`: of another hello.
std::optional<ClientMessage> parse_client_message(std::string_view text,
                                                  std::string_view hello_type = kHelloType);

class CutMessage;

// What those who listen to the clients of one shard have in common. Its thread only.
struct Hearing {
  static constexpr std::size_t kMaxHeldBytes = 16 * 1024 * 1024;
  static constexpr std::size_t kMaxInflatedBytes = 1024 * 1024;

  std::string hello_type = std::string(kHelloType);
  std::size_t max_bytes = 64 * 1024;  // of a message; a longer one is ignored
  const Clock* clock = nullptr;       // for inflate_bounds; null: these are not looked at
  InflateBounds inflate_bounds = {};  // of each client
  std::size_t held = 0;               // bytes of messages that are cut and over kMaxUnansweredBytes
  CutMessage* oldest = nullptr;       // of these, the one that became so first,
  CutMessage* newest = nullptr;       // and last
  Inflater inflater = {};
  std::size_t may_inflate = kMaxInflatedBytes;  // bytes, until the next begin_read()

  // Something came from a client: what is deflated of it may inflate to so much, so that the others
  // are served again soon.
  void begin_read() { may_inflate = std::max(kMaxInflatedBytes, max_bytes); }
};

// The text of a message that is cut, as far as it has come. Counted in Hearing from the moment in
// which it is over kMaxUnansweredBytes; where all those together need more room than there is, the
// one that has been there longest loses its text. So whoever begins many and ends none displaces
// his own, and shuts nobody out. The thread of its connection only.
class CutMessage {
 public:
  explicit CutMessage(Hearing& hearing) : hearing_(hearing) {}
  ~CutMessage() { leave(); }
  CutMessage(const CutMessage&) = delete;
  CutMessage& operator=(const CutMessage&) = delete;

  // False: there is no room, or it has lost what came before.
  bool add(std::string_view piece);
  const std::string& text() const { return text_; }

 private:
  bool counted() const { return text_.size() > kMaxUnansweredBytes; }
  bool make_room(std::size_t bytes);
  void lose();
  void enter();
  void leave();

  Hearing& hearing_;
  std::string text_;
  CutMessage* older_ = nullptr;  // its neighbours in Hearing's list
  CutMessage* newer_ = nullptr;
  bool lost_ = false;
};

// Gathers the pieces of a client's messages as far as one can be of interest. The thread of its
// connection only.
//
// Invariant: it holds the text of one message that is cut, at most `max_bytes`; all readers
// together hold at most kMaxHeldBytes of messages over kMaxUnansweredBytes.
class ClientMessageReader {
 public:
  // Pieces in the order in which they came. What a message says when its last piece is here, or
  // why there is no reading it. `hearing`: always the same, must outlive the reader.
  std::optional<ClientMessage> take(const MessagePiece& piece, Hearing& hearing);

 private:
  std::optional<ClientMessage> read_whole(std::string_view payload, Coding coding,
                                          Hearing& hearing);
  std::optional<ClientMessage> read_deflated(std::string_view payload, Hearing& hearing);

  std::unique_ptr<CutMessage> begun_;  // null: no message is cut, or it is ignored
  InflateRate inflate_rate_;
};

}  // namespace syncrelay
