#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "syncrelay/post/letter.h"
#include "syncrelay/relay/intake.h"
#include "syncrelay/relay/relay.h"

namespace syncrelay {

// Hands what clients say to the intake, knows who waits for what it replies, and gathers the
// answers for each shard. Relay thread only.
class ClientReplies {
 public:
  // Both must outlive it.
  ClientReplies(Relay& relay, Intake& intake, std::size_t shards)
      : relay_(relay), intake_(intake), notes_(shards) {}

  // A client of this shard says something.
  void take(std::size_t shard, const Said& said);

  // Whether the reply was for a client; then it is answered.
  bool take(const Reply& reply);

  // Has the shards tell what was gathered.
  void send();

 private:
  struct Asking {
    std::size_t shard;
    std::uint64_t connection;
    std::string ref;
  };

  Relay& relay_;
  Intake& intake_;
  std::unordered_map<Ticket, Asking> waiting_;  // as many as are in the batch and in the order
  Ticket next_ticket_ = kFirstClientTicket;
  std::vector<Notes> notes_;  // by shard
};

}  // namespace syncrelay
