#pragma once

#include <cstddef>
#include <cstdint>
#include <variant>
#include <vector>

#include "syncrelay/post/channel_name.h"
#include "syncrelay/post/client_info.h"
#include "syncrelay/post/update.h"

// All that the relay's thread and the shards say to each other.
namespace syncrelay {

// Asks every shard for its clients; each answers with one Reported, in the order of its letters.
struct Inquiry {
  std::uint64_t number = 0;
  bool all = true;  // connections, whatever they follow; else the subscribers of `channel`
  ChannelName channel;
};

// Down: from the relay to every shard, by a Mailbox, which waits when it is full.
using Letter = std::variant<Update, Inquiry>;

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

// Up: from a shard to the relay, by an Outbox, which never waits.
using UpLetter = std::variant<Reported, Subscribers>;

// What a letter holds in memory while it waits in a mailbox, in bytes.
inline std::size_t weight(const Letter& letter) {
  const Update* const update = std::get_if<Update>(&letter);
  return update == nullptr ? sizeof letter : weight(*update);
}

}  // namespace syncrelay
