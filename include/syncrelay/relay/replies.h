#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

#include "syncrelay/base/clock.h"
#include "syncrelay/metrics/stats.h"
#include "syncrelay/post/letter.h"
#include "syncrelay/protocol/command.h"
#include "syncrelay/protocol/refused_message.h"
#include "syncrelay/protocol/rejection.h"
#include "syncrelay/relay/inbox.h"
#include "syncrelay/relay/order.h"
#include "syncrelay/relay/query.h"
#include "syncrelay/relay/relay.h"

namespace syncrelay {

// What a client has said is taken. `stored`: whatever becomes of the batch.
struct Acknowledged {
  bool stored = false;
};

// How many messages were settled, as a worker wanted.
struct Settled {
  Op op;  // done, extend or release
  Inbox::Settled result;
};

// What became of a message that somebody waits for. A RefusedMessage: what a client has said is not
// taken, for a reason that no command has.
struct Reply {
  using Content = std::variant<Accepted, Rejection, Query, Settled, Acknowledged, RefusedMessage>;

  Ticket ticket;
  Content content;
};

// Who sent it: one connection of backends, or one client. What a peer is told comes in the order in
// which it asked.
using Peer = std::uint64_t;

// Who waits for what became of a message.
struct Asker {
  Asker(Ticket the_ticket, Peer the_peer = 0) : ticket(the_ticket), peer(the_peer) {}

  Ticket ticket;  // kNobody: nobody does
  Peer peer;
};

// The replies to what was asked: at once, or, where the order gives letters back later, when the
// letter is back, or its time is over. Each peer hears in the order in which it asked. Without such
// an order nothing is expected, and a reply costs what a place in a vector costs. Bounded by what
// the order takes, see Order::room(), and what peers ask meanwhile. Relay thread only; time is
// passed in.
class Replies {
 public:
  // `stats` must outlive it.
  explicit Replies(RelayStats& stats) : stats_(stats) {}
  Replies(const Replies&) = delete;
  Replies& operator=(const Replies&) = delete;

  // Decided at once.
  void add(const Asker& asker, Reply::Content content);

  // The letter of this asker is in the order and not back; at `until` it is told that nobody knows
  // what becomes of it. `said`: what a client publishes by it under a `ref`; null: nothing.
  void expect(const Asker& asker, TimePoint until, const Said* said);
  // Such a letter is back, or one that came back at once. Those that were expected before it are
  // lost. Who was told already, since the time was over, is told nothing. Returns what a client has
  // published by it, see expect().
  std::unique_ptr<const Said> settle(Ticket ticket, Reply::Content content);
  // Whether what the same sender says under the same `ref` is expected.
  bool is_expected(const Said& said) const { return said_.contains({said.sender, said.ref}); }
  // Tells those whose time is over. False: there are none.
  bool expire(TimePoint now);
  // When expire() has something to do; nullopt: never, as things are.
  std::optional<TimePoint> next_end() const;
  // Whether somebody waits who was told nothing.
  bool expects_any() const { return told_ < expected_.size(); }

  // What can be told now.
  std::vector<Reply>& ready() { return ready_; }
  const std::vector<Reply>& ready() const { return ready_; }

 private:
  struct Expected {
    Asker asker;
    TimePoint until;
    std::unique_ptr<const Said> said;
  };
  // Of a peer with a letter that is expected, in the order in which it asked; nullopt: that letter.
  using Line = std::deque<std::optional<Reply>>;

  void lose_until(Ticket ticket);
  std::unique_ptr<const Said> take_first();
  void tell(const Asker& asker, Reply::Content content);
  void tell_unknown(const Asker& asker);

  RelayStats& stats_;
  std::vector<Reply> ready_;
  std::deque<Expected> expected_;                       // in the order of their submission
  std::size_t told_ = 0;                                // of these, the first
  std::set<std::pair<std::string, std::string>> said_;  // of these: sender and ref
  std::unordered_map<Peer, Line> lines_;                // none of them empty
};

}  // namespace syncrelay
