#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "syncrelay/base/bytes.h"
#include "syncrelay/base/ids.h"
#include "syncrelay/base/prefetch.h"
#include "syncrelay/base/ring.h"
#include "syncrelay/post/log_chunk.h"

namespace syncrelay {

// Whole events of one channel that lie one behind the other in one chunk, ready to send.
struct Run {
  const LogChunk* chunk = nullptr;  // null: there is nothing; valid until the log changes
  std::uint64_t begin = 0;          // positions in the log
  std::uint64_t end = 0;
  Seq behind;  // the event that follows

  ByteSpan bytes() const { return chunk == nullptr ? ByteSpan() : chunk->read(begin, end); }
};

// One event in the log.
struct LoggedEvent {
  Seq seq;
  std::uint64_t begin = 0;  // positions of its wire bytes
  std::uint64_t end = 0;
  const LogChunk* chunk = nullptr;  // valid until the log changes
};

// Where the events of one channel lie in the log: what an EventLog holds of it. The numbers go on
// for ever; first() to next() are those that are held. Small while it holds little, since there may
// be very many. Its shard's thread only.
//
// A stretch is what follows without a gap in one chunk, so that reading from anywhere to its end
// takes no longer for a thousand events than for one.
class ChannelLog {
 public:
  // Without it the first event is 1. Precondition: it holds none.
  void start_at(Seq next) { first_ = next; }

  Seq first() const { return first_; }  // the oldest event that is held; next() when there is none
  Seq next() const { return {first_.value + begins_.size()}; }  // what the next event will have
  std::size_t events() const { return begins_.size(); }

  // Whether everything from event `seq` on is held, which may be nothing yet.
  bool holds(Seq seq) const { return first_ <= seq && seq <= next(); }

  // Where an event begins. Precondition: first() <= seq < next().
  std::uint64_t begin_of(Seq seq) const { return begins_[distance(first_, seq)]; }

  // What can be read at once from event `from` on, no further than `limit`, where an event of some
  // channel ends. Precondition: holds(from).
  Run read(Seq from, std::uint64_t limit = UINT64_MAX) const;

  // Has the processor fetch what read() of the newest events touches.
  void prefetch_newest() const {
    if (begins_.empty()) return;
    prefetch(&begins_.back(), sizeof(std::uint64_t));
    prefetch(&stretches_.back(), sizeof(Stretch));
  }

  // The event whose bytes hold `position`. Precondition: one does.
  LoggedEvent event_at(std::uint64_t position) const;

 private:
  friend class EventLog;

  struct Stretch {
    const LogChunk* chunk = nullptr;  // the EventLog's
    std::uint64_t end = 0;            // position behind its last event
    Seq first;                        // may be gone already
  };

  void append(const LogChunk* chunk, std::uint64_t begin, std::uint64_t end);
  void pop_front();
  void clear();

  std::size_t stretch_of(Seq seq) const;
  Seq behind(std::size_t stretch) const;
  Seq first_from(std::uint64_t position) const;

  Ring<std::uint64_t> begins_;  // event first_ + i begins at begins_[i]
  Ring<Stretch> stretches_;
  Seq first_{1};
};

}  // namespace syncrelay
