#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "syncrelay/base/clock.h"
#include "syncrelay/base/ring.h"
#include "syncrelay/post/browse.h"
#include "syncrelay/post/channel_name.h"
#include "syncrelay/post/client_info.h"
#include "syncrelay/post/notice.h"
#include "syncrelay/post/story.h"
#include "syncrelay/post/update.h"

// All that the relay's thread and the shards say to each other.
namespace syncrelay {

// Asks every shard for its clients; each answers with one Reported, in the order of its letters.
struct Inquiry {
  std::uint64_t number = 0;
  bool all = true;  // connections, whatever they follow; else the subscribers of `channel`
  ChannelName channel;
};

// Has every shard close connections; each answers with one Dismissed.
struct Dismissal {
  std::uint64_t number = 0;
  std::string id;  // of the identity whose connections go; empty: that of `connection`
  std::uint64_t connection = 0;  // the number that `clients` lists
  std::uint16_t code = 0;        // of the close frame
  std::string reason;            // of the close frame, UTF-8, at most 123 bytes
};

// Asks every shard what happened to connections; each answers with one Told.
struct StoryInquiry {
  static constexpr std::size_t kMaxTold = 20;  // of an identity, the newest ones

  std::uint64_t number = 0;
  std::string id;  // of the identity whose connections are meant; empty: the one of `connection`
  std::uint64_t connection = 0;  // the number that `clients` lists
};

// What clients of this shard are told, each of them for itself: whole messages, JSON text. Whoever
// is gone by then is told nothing.
struct Notes {
  struct Note {
    std::uint64_t connection = 0;
    std::string message;
  };
  std::vector<Note> notes;
};

// Down: from the relay to every shard, by a Mailbox, which waits when it is full. All but updates
// and inquiries for clients are rare beside those, so they are shared.
using Letter = std::variant<Update, Inquiry, std::shared_ptr<const Dismissal>,
                            std::shared_ptr<const StoryInquiry>, std::shared_ptr<const Notes>,
                            std::shared_ptr<const Browse>>;

// The clients of one shard.
struct Reported {
  std::uint64_t inquiry = 0;
  std::vector<ClientInfo> clients;
};

// How many clients of one shard follow a channel now.
struct Subscribers {
  std::string channel;
  std::uint64_t count = 0;
};

// How many connections of one identity follow a channel at one shard now, where members are kept.
struct Attendance {
  std::string channel;
  std::string id;
  std::shared_ptr<const std::string> info;  // JSON object; null: the identity has said none
  std::uint32_t count = 0;
  bool clean = false;  // when `count` is 0: the last one took leave by itself
  TimePoint said{};    // when `info` was: another shard may have heard something newer
  TimePoint at{};      // when `count` became so, by the clock that all shards have
};

// How many connections of one shard a dismissal has closed.
struct Dismissed {
  std::uint64_t dismissal = 0;
  std::uint64_t count = 0;
};

// What happened to connections of one shard: those that are here, then those that are gone, the
// newest of them first.
struct Told {
  struct Connection {
    ConnectionId id;
    Story story;
    std::optional<ClientInfo> now;  // nullopt: it is gone
  };
  std::uint64_t inquiry = 0;
  std::vector<Connection> stories{};
  std::uint64_t more = 0;  // that are known and not among them
};

// What a client wants of the relay or its backend, a whole message that the shard has checked.
struct Said {
  enum class Kind : std::uint8_t {
    message,  // for the backend: `text` is the message as it came
    publish,  // `text` is a broadcast, as a backend would send it
  };
  Kind kind = Kind::message;
  std::uint64_t connection = 0;
  std::string sender;   // the identity with `@` before it, or the value of ?session= with `?`, or
                        // the connection's number with `#`: who says the same under one `ref`
  std::string channel;  // that the message names; empty: the default one
  std::string ref;      // empty: the client wants no answer
  std::string text;     // JSON object
};

// Who came and went at one shard, as far as the relay wants to know.
struct Noticed {
  Ring<Notice> notices;       // in their order
  std::uint64_t dropped = 0;  // that came before, and there was no room for
};

// Up: from a shard to the relay, by an Outbox, which never waits.
using UpLetter =
    std::variant<Reported, Subscribers, Attendance, Dismissed, Told, Said, Noticed, Browsed>;

// What a letter holds in memory while it waits in a mailbox, in bytes.
inline std::size_t weight(const Notes& notes) {
  std::size_t bytes = sizeof notes;
  for (const Notes::Note& note : notes.notes) bytes += sizeof note + note.message.size();
  return bytes;
}
inline std::size_t weight(const Letter& letter) {
  if (const auto* update = std::get_if<Update>(&letter)) return weight(*update);
  const auto* const notes = std::get_if<std::shared_ptr<const Notes>>(&letter);
  return sizeof letter + (notes == nullptr ? 0 : weight(**notes));
}
inline std::size_t weight(const Said& said) {
  return sizeof said + said.sender.size() + said.channel.size() + said.ref.size() +
         said.text.size();
}

}  // namespace syncrelay
