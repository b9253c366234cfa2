#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <vector>

#include "syncrelay/base/clock.h"
#include "syncrelay/metrics/stats.h"
#include "syncrelay/post/notice.h"
#include "syncrelay/protocol/worker_event.h"

namespace syncrelay {

// Notices for the workers that ask for them: a bounded queue from which each is handed out at most
// once. A kind is kept only as long as somebody has asked for it within the last minute, so that
// what nobody wants to hear costs nothing. When it is full the oldest go, of whatever kind, and the
// next worker is told how many.
//
// What the relay's batch brings is staged until that is stored. Memory only. Relay thread only;
// time is passed in.
class Notices {
 public:
  static constexpr std::size_t kMax = 10'000;
  static constexpr std::size_t kMaxBytes = 4 * 1024 * 1024;  // by weight()
  static constexpr Duration kMemory = std::chrono::seconds(60);

  // In a queue: which came before which.
  struct Numbered {
    std::uint64_t number;
    Notice notice;
  };
  struct Taken {
    std::vector<Numbered> notices{};
    std::uint64_t dropped = 0;  // that nobody was told of yet
    std::size_t bytes = 0;      // of `notices`
  };

  // `stats` must outlive it.
  explicit Notices(RelayStats& stats) : stats_(stats) {}
  Notices(const Notices&) = delete;
  Notices& operator=(const Notices&) = delete;

  // A worker asks for these, or has asked for them until now. `message` is none of ours.
  void ask(WorkerEvents events, TimePoint now);
  // Forgets the kinds that nobody has asked for within kMemory.
  void forget_unasked(TimePoint now);
  // The kinds that are kept.
  WorkerEvents asked() const { return asked_; }

  // Kept if its kind is.
  void add(Notice notice);
  // So many were lost on their way here, for want of room.
  void add_dropped(std::uint64_t count);

  // The same for what is true only when the batch is stored.
  void stage(Notice notice);
  void keep_staged();
  void take_back_staged() { staged_.clear(); }

  // The kinds of which there are some.
  WorkerEvents waiting() const;
  // The oldest of these kinds, at most so many, and bytes.
  Taken take(WorkerEvents events, std::size_t max, std::size_t bytes);
  // The worker could not be reached: as if they had not been taken.
  void give_back(Taken taken);

 private:
  struct Kind {
    std::deque<Numbered> queue{};
    TimePoint asked_at{};
  };

  Kind& kind(WorkerEvent event) { return kinds_[static_cast<std::size_t>(event)]; }
  const Kind& kind(WorkerEvent event) const { return kinds_[static_cast<std::size_t>(event)]; }
  std::deque<Numbered>* oldest(WorkerEvents events);
  void forget(WorkerEvent event);
  void bound();

  RelayStats& stats_;
  std::array<Kind, kWorkerEventNames.size()> kinds_;
  WorkerEvents asked_;
  std::vector<Notice> staged_;
  std::uint64_t next_number_ = 0;
  std::size_t size_ = 0;      // of all queues
  std::size_t bytes_ = 0;     // of all queues
  std::uint64_t untold_ = 0;  // dropped
};

}  // namespace syncrelay
