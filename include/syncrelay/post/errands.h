#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_set>
#include <vector>

#include "syncrelay/protocol/rejection.h"

namespace syncrelay {

// One request that the HTTP door has for the relay's thread, as a peer of the control socket would
// send it.
struct Errand {
  std::uint64_t number = 0;  // over 0, never used again
  std::string text;          // the message
  // It is known already that it cannot be taken, and was not even read.
  std::optional<Rejection> fault = std::nullopt;
  int connection = -1;  // descriptor of who asks, by which it is seen when he has hung up
  // is_traceparent(): counts for a command that has none; empty: none.
  std::string traceparent = {};
};

// What became of it: the JSON that the control socket would answer with.
struct ErrandAnswer {
  std::uint64_t number = 0;
  std::string text;
  std::optional<RejectReason> refused = std::nullopt;
};

// Errands of the HTTP door to the relay's thread, and their answers. Neither side waits for the
// other: the door has as many errands out as it lets requests in, see Door, and answers are bounded
// as those of the control socket are. Thread-safe. Rejected: a ZeroMQ socket of the door's own at
// the control socket (inproc), which would need the relay's context, two descriptors a connection,
// and another way to tell that who asked is gone.
class Errands {
 public:
  // `to_relay` and `to_door` have the other side look here. They must not block.
  Errands(std::function<void()> to_relay, std::function<void()> to_door);

  // The door's side. False: the relay takes no more.
  bool send(Errand errand);
  // Who asked is gone. What was on its way is done all the same, but a worker has had nothing.
  void withdraw(std::uint64_t number);
  // Replaces the content of `answers` by all that has come.
  void take(std::vector<ErrandAnswer>& answers);
  // These bytes of an answer are read.
  void let_go(std::size_t bytes) { unread_.fetch_sub(bytes); }

  // The relay's side. False: there is none.
  bool take(Errand& errand);
  // Whether there is room for an answer of this size: always when none is unread, and else as long
  // as those do not hold too much memory.
  bool has_room(std::size_t answer_bytes) const;
  // False: nobody waits for it any more.
  bool answer(ErrandAnswer answer);
  // Nothing is taken any more: who still waits has no answer.
  void close();

  bool closed() const { return closed_.load(); }

 private:
  const std::function<void()> to_relay_;
  const std::function<void()> to_door_;
  std::atomic<std::size_t> unread_{0};  // bytes of answers
  std::atomic<bool> closed_{false};
  mutable std::mutex mutex_;  // guards all below
  std::deque<Errand> waiting_;
  std::unordered_set<std::uint64_t> open_;  // sent, and neither answered nor withdrawn
  std::vector<ErrandAnswer> answers_;
};

}  // namespace syncrelay
