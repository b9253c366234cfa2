#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "syncrelay/metrics/stats.h"
#include "syncrelay/post/letter.h"
#include "syncrelay/protocol/refused_message.h"
#include "syncrelay/relay/intake.h"
#include "syncrelay/relay/relay.h"

namespace syncrelay {

// What clients hear of what they have said: knows who waits for what the intake replies, and
// gathers the answers for each shard. Relay thread only.
class ClientReplies {
 public:
  // Both must outlive it.
  ClientReplies(Relay& relay, Intake& intake, RelayStats& stats, std::size_t shards)
      : relay_(relay), intake_(intake), stats_(stats), notes_(shards) {}

  // A client of this shard publishes: a command like any other.
  void publish(std::size_t shard, const Said& said);

  // An answer of somebody else's than the intake's. Nothing happens where there is no `ref`.
  void acknowledge(std::size_t shard, const Said& said);
  void refuse(std::size_t shard, const Said& said, RefusedMessage why);

  // Whether the reply was for a client; then it is answered.
  bool take(const Reply& reply);

  // Has the shards tell what was gathered.
  void send();

 private:
  // Tickets of clients; those that the control socket gives are below.
  static constexpr Ticket kFirstTicket = Ticket{1} << 63;

  struct Asking {
    std::size_t shard;
    std::uint64_t connection;
    std::string ref;
  };

  void add(const Asking& asking, std::string message);

  Relay& relay_;
  Intake& intake_;
  RelayStats& stats_;
  std::unordered_map<Ticket, Asking> waiting_;  // as many as are in the batch
  Ticket next_ticket_ = kFirstTicket;
  std::vector<Notes> notes_;  // by shard
};

}  // namespace syncrelay
