#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <list>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "syncrelay/base/clock.h"
#include "syncrelay/metrics/stats.h"
#include "syncrelay/post/letter.h"
#include "syncrelay/relay/id_window.h"
#include "syncrelay/relay/inbox_message.h"
#include "syncrelay/relay/store.h"

namespace syncrelay {

// What clients have said and no backend has done with yet: a bounded queue from which workers take
// messages for a time (a lease). What is neither done nor extended by its end goes to the next.
//
// Of one sender all that is out is out in one answer to one worker: nothing more is handed out
// before that is done, given back or over, and then the oldest comes first. Senders take turns, so
// that one who says much delays only itself; and one may have only a share of the messages and
// bytes there, so that it cannot shut the inbox for others.
//
// A worker handles a sender's messages one by one. So of those whose leases run out only the first
// was an attempt: the others cannot have been begun.
//
// What is said and what is done is staged until the relay's batch is stored: keep_staged() or
// take_back_staged(). Leases and attempts are memory only. Everything costs at most the logarithm
// of what waits. Relay thread only; time is passed in.
class Inbox {
 public:
  struct Settings {
    std::uint64_t messages = 10'000;
    std::uint64_t bytes = 64ULL << 20;  // of senders, channels and texts

    // Of one sender: a tenth. It may have so many in any case (of bytes: one message of any size).
    static constexpr std::uint64_t kLeastOfSender = 100;
    std::uint64_t messages_of_sender() const { return std::max(messages / 10, kLeastOfSender); }
    std::uint64_t bytes_of_sender() const { return bytes / 10; }

    IdWindow::Bounds refs{100'000, std::chrono::minutes(10)};
  };

  // What becomes of a message.
  enum class Fate : std::uint8_t {
    staged,      // it is taken when the batch is stored
    known,       // the same sender has said the same `ref`: it has been taken before,
    known_soon,  // or is in the batch
    no_backend,  // nobody has ever received
    ignored,     // the same, and nobody waits for an answer
    full,        // as much is there as may, of this sender or of all
  };

  // How much of what was asked took effect. `stored`: it holds whatever becomes of the batch.
  struct Settled {
    std::size_t count = 0;
    bool stored = true;
  };

  // A message on its way to a worker; valid until the next change of the inbox.
  struct Delivery {
    const InboxMessage* message;
    std::uint32_t attempt;  // 1: the first since the relay began
  };
  struct Wish {
    std::size_t messages;  // at most
    std::size_t bytes;     // of texts, at most, but for a first one that is larger
    Duration lease;
  };

  // `stats` must outlive the inbox.
  Inbox(const Settings& settings, RelayStats& stats)
      : settings_(settings), refs_(settings.refs), stats_(stats) {}
  Inbox(const Inbox&) = delete;
  Inbox& operator=(const Inbox&) = delete;

  // Goes on from what was stored, even where that is more than the bounds allow; these messages
  // have no connection any more. To be called once, before anything else.
  void restore(const StoredInbox& stored);
  // What another inbox goes on from, as if it had been stored: leases and attempts are not there.
  // `ran`: how long the relay has run; the other one has not, yet. Precondition: nothing is staged.
  StoredInbox all(Duration ran) const;

  // A client says something. Here and below: `ran` is how long the relay has run, this time and
  // before. Precondition: `said` is a message.
  Fate say(const Said& said, WallTime ts, Duration ran);

  // What of another kind was said under a `ref`: whether it is known, and that it is from now on.
  // Precondition of stage_ref(): not known.
  std::optional<IdWindow::Known> known(const Said& said, Duration ran) const;
  void stage_ref(const Said& said, Duration ran);

  // A backend is there, and will be from now on.
  void begin_receiving();

  // Hands out what is next, the oldest of each sender first; empty: there is nothing. Precondition:
  // nothing is staged.
  std::vector<Delivery> take(const Wish& wish, TimePoint now);
  // Whether take() would have something.
  bool has_next(TimePoint now);
  // The worker could not be reached: as if they had not been handed out.
  void give_back(const std::vector<std::uint64_t>& numbers);

  // Unknown numbers are no error: it may be the second time. All three are for whoever asks, since
  // a worker may come back over another connection.
  Settled done(const std::vector<std::uint64_t>& numbers);
  Settled extend(const std::vector<std::uint64_t>& numbers, Duration lease, TimePoint now);
  // `untried`: the worker has not begun with them, and had none of their attempts.
  Settled release(const std::vector<std::uint64_t>& numbers, bool untried, TimePoint now);

  // When the first lease ends; nullopt: none runs.
  std::optional<TimePoint> next_end() const;

  // Whether there is something to store; and so much that it is time to.
  bool has_staged() const;
  bool is_batch_full() const;
  // What is staged, for the store. It holds until one of the two below.
  InboxChanges staged() const;
  void keep_staged();
  void take_back_staged();

  std::size_t size() const { return entries_.size(); }
  std::size_t leased() const { return leases_.size(); }

 private:
  struct Sender;
  using Senders = std::unordered_map<std::string, Sender>;
  struct Entry {
    InboxMessage message;
    Senders::pointer sender;
    std::uint32_t attempts = 0;
    std::optional<TimePoint> lease_end = std::nullopt;  // nullopt: it waits
    bool done = false;                                  // as soon as the batch is stored
  };
  struct Sender {
    std::set<std::uint64_t> waiting;  // numbers
    std::set<std::uint64_t> leased;
    std::optional<std::uint64_t> lost;  // the first whose lease ran out since any was handed out
    std::size_t messages = 0;           // that are not done, those that are staged, too
    std::uint64_t bytes = 0;            // of them
    std::optional<std::list<Senders::pointer>::iterator> turn;  // in ready_
  };
  struct Staged {
    std::vector<InboxMessage> messages;
    std::vector<std::uint64_t> done;
    std::vector<IdRecord> refs;
    std::uint64_t bytes = 0;
  };

  std::optional<InboxRefusal> refusal(const InboxMessage& message) const;
  void hold(const InboxMessage& message);
  void let_go(Senders::pointer sender, const InboxMessage& message);
  void insert(InboxMessage message);
  void remove(std::uint64_t n);
  void lease(std::uint64_t n, TimePoint end);
  void end_lease(Entry& entry);
  void lose(Entry& entry);
  void expire(TimePoint now);
  // The sender's turn may have come, or gone.
  void review(Senders::pointer sender);
  void show_numbers();

  const Settings settings_;
  IdWindow refs_;
  RelayStats& stats_;
  std::unordered_map<std::uint64_t, Entry> entries_;  // by number
  Senders senders_;                                   // of all entries
  std::list<Senders::pointer> ready_;  // who has something and nothing out, in their turn
  std::set<std::pair<TimePoint, std::uint64_t>> leases_;  // by their end
  std::uint64_t bytes_ = 0;                               // of all entries
  std::uint64_t next_ = 1;                                // number
  bool received_ = false;                                 // somebody, once,
  bool received_stored_ = false;                          // and the store knows
  Staged staged_;
};

}  // namespace syncrelay
