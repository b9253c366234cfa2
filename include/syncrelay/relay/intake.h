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
#include "syncrelay/protocol/rejection.h"
#include "syncrelay/relay/order.h"
#include "syncrelay/relay/refusals.h"
#include "syncrelay/relay/relay.h"
#include "syncrelay/relay/replies.h"

namespace syncrelay {

// The one way in for all that changes the channels: messages of backends, from whichever socket,
// and what the relay itself wants. Has them decoded, ordered, applied and published in batches, and
// refuses in one way. Relay thread only.
//
// Where the order gives letters back later, a reply waits for its letter, and for no longer than
// `patience`.
class Intake {
 public:
  struct Settings {
    std::size_t max_command;                      // bytes
    Duration patience = std::chrono::seconds(5);  // for letters to come back
    bool trace = false;                           // clients hear of a command's `traceparent`
  };

  // All references must outlive it.
  Intake(const Settings& settings, Relay& relay, Order& order, RelayStats& stats,
         const Clock& clock, const Log& log);

  // A message. `asker`: who hears of it by publish(); of kNobody's only the log does, when it is
  // refused, and it cannot ask.
  // `traceparent`: is_traceparent(), counts for a command that has none; empty: none.
  void take(std::string_view message, const Asker& asker, std::string_view traceparent = {}) {
    take(message, asker, traceparent, nullptr);
  }

  // What a client says, for the backend or to be published. `asker` hears of it by publish();
  // kNobody: it has no `ref`.
  void take(const Said& said, const Asker& asker);

  // A message that is not even decoded.
  void refuse(const Rejection& rejection, std::string_view message, const Asker& asker) {
    refuse(rejection, message, asker, nullptr);
  }
  // What was refused elsewhere.
  void count(RejectReason reason) { counter(stats_.rejected, reason).add(); }

  // The newest that were refused.
  const Refusals& refusals() const { return refusals_; }

  // Applies what has come by the order, as far as the batch goes. False: there was nothing.
  bool take_ordered();

  // Sends what the relay wants by itself, a bounded number: keys whose time is over, members who
  // come and go, channels that nobody needs; not before all that it sent is back and published.
  // Gives up waiting for letters whose time is over. True when there was any.
  bool tend();
  // When tend() will have something to do, as far as that is known.
  std::optional<TimePoint> next_tending() const;

  // Something is staged that only publish() makes true.
  bool has_said() const { return relay_.inbox().has_staged(); }
  bool batch_full() const { return relay_.batch_full(); }
  // For commands that nobody waits for.
  bool has_room() const { return order_.room() == Order::Room::all; }
  // Somebody waits for a letter to come back.
  bool expects_letters() const { return replies_.expects_any(); }
  // Somebody waits for the batch to be published.
  bool has_waiting() const { return !replies_.ready().empty(); }
  // Nothing comes back any more: tells all who wait, by the next publish().
  void give_up_waiting() { replies_.expire(TimePoint::max()); }
  // Commands since the last publish() that nobody waits for.
  std::uint64_t unanswered() const { return unanswered_; }

  // Publishes what was taken; the replies are in the order of each peer's messages. When it cannot
  // be stored, each of its commands is refused.
  std::vector<Reply> publish();

 private:
  // What became of a command that somebody waits for.
  struct Settlement {
    Ticket ticket = kNobody;
    bool accepted = false;
  };

  void refuse(const Rejection& rejection, std::string_view message, const Asker& asker,
              const Command* command);
  void note(const Rejection& rejection, std::string_view message, Ticket ticket,
            const Command* command);
  bool has_room_for(const Asker& asker) const;
  void take(std::string_view message, const Asker& asker, std::string_view traceparent,
            const Said* said);
  std::optional<std::string> retraced(std::string_view message, const Command& command,
                                      std::string_view traceparent) const;
  void submit(const Order::Commanded& commanded, Peer peer, const Said* said);
  void propose(const Order::Letter& letter);
  bool take_next();
  void apply(const Order::Ordered& ordered);
  void apply(const Order::Commanded& commanded, const Order::Ordered& ordered);
  void settle(const Order::Commanded& commanded, Result<Accepted, Rejection> applied);
  void keep_ref(const Said* said);
  std::optional<TimePoint> next_proposal() const;
  void propose_all();
  void propose_members();
  void ask(const Command& command, const Asker& asker);
  void publish(const Said& said, const Asker& asker);
  void refuse_unstored(const Rejection& rejection);
  void log_departure(const Depart& depart, const Departure& departure);
  void log_refusal(const Rejection& rejection, std::string_view message);

  const Settings settings_;
  CommandDecoder decoder_;
  Relay& relay_;
  Order& order_;
  RelayStats& stats_;
  const Clock& clock_;
  const Log& log_;
  LineBudget lines_;
  LineBudget will_lines_;
  Replies replies_;
  Settlement settled_;  // the last one
  Refusals refusals_;
  std::size_t endpoint_ = 0;  // that a command comes from that is being taken; 0: it is not known
  bool of_client_ = false;    // what is being taken a client has said
  std::uint64_t unanswered_ = 0;
  std::uint64_t proposed_ = 0;  // letters that are not published yet
  std::uint64_t back_ = 0;      // of these
  TimePoint proposed_until_{};  // they are waited for
  TimePoint tend_from_;         // not before
};

}  // namespace syncrelay
