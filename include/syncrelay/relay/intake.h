#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "syncrelay/base/clock.h"
#include "syncrelay/base/line_budget.h"
#include "syncrelay/base/log.h"
#include "syncrelay/metrics/stats.h"
#include "syncrelay/protocol/command_decoder.h"
#include "syncrelay/protocol/refused_message.h"
#include "syncrelay/protocol/rejection.h"
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
  Ticket ticket;
  std::variant<Accepted, Rejection, Query, Settled, Acknowledged, RefusedMessage> content;
};

// The one way in for all that changes the channels: messages of backends, from whichever socket,
// and what the relay itself wants. Has them decoded, ordered, applied and published in batches, and
// refuses in one way. Relay thread only.
class Intake {
 public:
  // All references must outlive it.
  Intake(std::size_t max_command, Relay& relay, Order& order, RelayStats& stats, const Clock& clock,
         const Log& log);

  // A message. `ticket`: who hears of it by publish(); kNobody: only the log does, when it is
  // refused, and it cannot ask.
  void take(std::string_view message, Ticket ticket);

  // What a client says, for the backend or to be published. Whoever has the ticket hears of it by
  // publish(); kNobody: it has no `ref`.
  void take(const Said& said, Ticket ticket);

  // A message that is not even decoded.
  void refuse(const Rejection& rejection, std::string_view message, Ticket ticket);
  // What was refused elsewhere.
  void count(RejectReason reason) { counter(stats_.rejected, reason).add(); }

  // Sends what the relay wants by itself, a bounded number: keys whose time is over, members who
  // come and go, channels that nobody needs. True when there was any.
  bool tend();
  // When tend() will have something to do, as far as that is known.
  std::optional<TimePoint> next_tending() const;

  // Something is staged that only publish() makes true.
  bool has_said() const { return relay_.inbox().has_staged(); }
  bool batch_full() const { return relay_.batch_full(); }
  // Somebody waits for the batch to be published.
  bool has_waiting() const { return !replies_.empty(); }
  // Commands since the last publish() that nobody waits for.
  std::uint64_t unanswered() const { return unanswered_; }

  // Publishes what was taken; the replies are in the order of the messages. When it cannot be
  // stored, each of its commands is refused.
  std::vector<Reply> publish();

 private:
  void take_ordered();
  bool tend_members();
  bool forget(const std::vector<Forget>& channels);
  void apply(const Order::Commanded& commanded, const Moment& moment);
  void ask(const Command& command, Ticket ticket);
  void publish(const Said& said, Ticket ticket);
  void refuse_unstored(const Rejection& rejection);
  void log_departure(const Depart& depart, const Departure& departure);
  void log_refusal(const Rejection& rejection, std::string_view message);

  CommandDecoder decoder_;
  Relay& relay_;
  Order& order_;
  RelayStats& stats_;
  const Clock& clock_;
  const Log& log_;
  LineBudget lines_;
  LineBudget will_lines_;
  std::vector<Reply> replies_;
  std::uint64_t unanswered_ = 0;
  std::uint64_t refused_ = 0;  // so far
  TimePoint tend_from_;        // not before
};

}  // namespace syncrelay
