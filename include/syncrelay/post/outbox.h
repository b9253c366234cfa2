#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "syncrelay/post/letter.h"

namespace syncrelay {

// Letters from one shard to the relay. Thread-safe. Putting one in never waits, so that no client
// can make a shard wait for the relay; it is bounded by holding at most one unread letter of each
// matter: the number of subscribers of a channel (as many as the shard has channels), who follows
// it, and an answer to an inquiry, for stories too, or a dismissal (as many as are under way); by
// refusing what clients say beyond a number and bytes; and by dropping the oldest notices beyond a
// number.
class Outbox {
 public:
  static constexpr std::size_t kMaxSaid = 1000;  // unread
  static constexpr std::size_t kMaxSaidBytes = 4 * 1024 * 1024;
  static constexpr std::size_t kMaxNotices = 10'000;  // unread; some hundred bytes each

  // `wake` runs on the shard's thread when the relay should look, once for all that it has not
  // read: everything but numbers of subscribers, which lie until it looks. It must not block.
  explicit Outbox(std::function<void()> wake) : wake_(std::move(wake)) {}
  Outbox(const Outbox&) = delete;
  Outbox& operator=(const Outbox&) = delete;

  void put(Reported reported);
  // Replaces what is unread about the same channel.
  void put(Subscribers subscribers);
  // Replaces what is unread about the same identity in the same channel.
  void put(Attendance attendance);
  void put(Dismissed dismissed);
  void put(Browsed browsed);
  void put(Told told);
  // False: as much as may is unread, and this is not taken.
  [[nodiscard]] bool put(Said said);
  // The oldest that is unread goes when there is no room.
  void put(Notice notice);

  // Which notices the relay wants from now on; none at first. To be asked before one is made.
  void want(WorkerEvents events) { wanted_.store(events.bits(), std::memory_order_relaxed); }
  bool wants(WorkerEvent event) const {
    return WorkerEvents(wanted_.load(std::memory_order_relaxed)).has(event);
  }

  // Replaces the content of `letters` by everything that waits: first who follows what and who
  // came and went, then what was said, in its order, reports last.
  void take(std::vector<UpLetter>& letters);

 private:
  struct Waiting {
    std::vector<Reported> reported;
    std::vector<Dismissed> dismissed;
    std::vector<Browsed> browsed;
    std::vector<Told> told;
    std::map<std::pair<std::string, std::string>, Attendance> attendances;  // by channel and id
    std::vector<Said> said;
    std::unordered_map<std::string, std::uint64_t> subscribers;
    Noticed noticed;
  };

  template <typename Put>
  void put_and_wake(Put put);

  const std::function<void()> wake_;
  std::atomic<WorkerEvents::Bits> wanted_{0};
  std::mutex mutex_;  // guards all below
  Waiting waiting_;
  std::size_t said_bytes_ = 0;
  bool woken_ = false;  // since the relay looked
};

}  // namespace syncrelay
