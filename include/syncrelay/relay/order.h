#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <variant>

#include "syncrelay/base/clock.h"
#include "syncrelay/channel/channels.h"
#include "syncrelay/protocol/command.h"

namespace syncrelay {

// Finds out who waits for what became of a command; never 0 then, and never used twice.
using Ticket = std::uint64_t;
inline constexpr Ticket kNobody = 0;
// Below are those of peers of the control socket; from here on those of the HTTP door; from there
// on those of clients.
inline constexpr Ticket kFirstDoorTicket = Ticket{1} << 62;
inline constexpr Ticket kFirstClientTicket = Ticket{1} << 63;

// When a letter happened, and whose it was.
struct Moment {
  WallTime ts;  // which clients are told
  // By which ids of commands grow old: the running time of the order, which never goes back.
  // nullopt: it has none of its own, and the relay's is meant.
  std::optional<Duration> at = std::nullopt;
  bool own = true;  // this relay had submitted it
};

// The one order in which everything happens that changes the channels: commands of backends, and
// what the relay itself wants (keys whose time is over, channels that nobody needs, members that
// come and go), and which relays are dead. Letters go in, and come back each with its place in the
// order and the moment at which it happened.
//
// An interface, because the order may be made elsewhere: by a log that several relays share. All
// calls come from the relay's thread. What an order promises, and what its user does:
//
// - Each letter that was submitted comes back from next() once: at once, which is by the next call;
//   later; or never when the order has lost it. Those of one submitter come back in the order of
//   their submission, so what is lost is known when a later one is back. Letters of other relays
//   come between them, and are not its own.
// - `ts` and `at` never depend on who reads them: relays that share an order apply the same letter
//   at the same moment. `ts` may go back when a host's clock is set.
// - The user calls next() once after each submit(), and whenever it is woken until there is none,
//   with as many breaks as it likes, and applies each letter before it takes the next. It decides
//   nothing else by what it submits: a letter has happened only when next() returns it. An order
//   whose letters come at other times, too, wakes the relay's thread (the Wake of CommandServer).
// - Views. A Commanded that is submitted points into a message and a decoded command which hold
//   until submit() has returned and next() was called once. An order that keeps a letter for longer
//   keeps a copy of `message`, which says all, and decodes it again. What next() returns holds
//   until it is called again.
// - room() says what may be submitted, so that what is on its way stays bounded. What the relay
//   itself wants is bounded, and submitted only where there is room for all.
// - Expire, Forget, Arrive and Depart say what they expect and do nothing when that has changed, so
//   they may come more than once, and from several relays that had the same thought.
// - A repetition of a command by its id is found when it is applied, not here.
// - A letter that was applied and could not be stored is taken back and its command refused. An
//   order whose letters have happened elsewhere by then cannot take that back: there the store is
//   only a memory of the order, and the relay has to end or to read the order again from where its
//   store stands.
class Order {
 public:
  struct Commanded {
    std::string_view message;  // as it came
    const Command* command;    // what it says
    Ticket ticket;             // of another relay's: it means nothing here
  };
  using Letter = std::variant<Commanded, Expire, Forget, Arrive, Depart, Gone>;

  struct Ordered {
    Moment moment;
    Letter letter;
  };

  enum class Room : std::uint8_t {
    none,      // for nothing
    answered,  // for commands that somebody waits for, of which each peer sends only so many
    all,
  };

  virtual ~Order() = default;
  virtual void submit(const Letter& letter) = 0;
  // Null: there is none.
  virtual const Ordered* next() = 0;
  // What was submitted leaves now, at the latest: comes at the end of each turn of the relay's
  // thread, so that an order may send letters of one turn together.
  virtual void flush() {}
  virtual Room room() const = 0;
  // Letters of other relays are in it, too: what all are to know has to be in a letter.
  virtual bool is_shared() const { return false; }
};

// The order of a relay that is alone: everything happens at once, by the host's clock.
class LocalOrder final : public Order {
 public:
  explicit LocalOrder(const Clock& clock) : clock_(clock) {}

  // Precondition: next() has returned what was submitted before.
  void submit(const Letter& letter) override;
  const Ordered* next() override;
  Room room() const override { return Room::all; }

 private:
  const Clock& clock_;
  Ordered ordered_;  // the last one
  bool waiting_ = false;
};

}  // namespace syncrelay
