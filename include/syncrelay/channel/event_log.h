#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "syncrelay/base/bytes.h"
#include "syncrelay/base/clock.h"
#include "syncrelay/base/ids.h"
#include "syncrelay/base/ring.h"
#include "syncrelay/post/update.h"

namespace syncrelay {

// A place in the log between two frames: the byte that is read next, and the first event that is
// not wholly before it.
struct Cursor {
  std::uint64_t position = 0;
  Seq next{1};
};

// One event in the log.
struct LoggedEvent {
  Seq seq;
  std::uint64_t begin = 0;  // positions of its wire bytes
  std::uint64_t end = 0;
  const std::shared_ptr<const LogChunk>* chunk = nullptr;  // valid until the log changes
};

// The window on the recent events: their wire bytes, ready to send, with an index from seq to
// bytes. Bounded by bytes and by count, whichever ends first, but never without the newest event;
// and for those that are kept waiting, by kMaxKeptBytes more.
// The bytes are shared by all shards, the index is each shard's own. Its shard's thread only.
class EventLog {
 public:
  struct Bounds {
    std::uint64_t bytes;
    std::uint64_t events;
  };

  static constexpr std::uint64_t kMaxKeptBytes = 32 * 1024 * 1024;
  static constexpr std::uint64_t kKeepNothing = UINT64_MAX;

  explicit EventLog(Bounds bounds) : bounds_(bounds) {}

  // Precondition: no event was appended yet. Without it the first event is 1.
  void start_at(Seq next) { first_ = next_ = next; }

  // Precondition: the update has an event, and its seq is next() unless it is the first.
  void append(const Update& update);

  // Until the next call events that are not wholly before `position` stay, although the window has
  // moved on, as long as there are no more than kMaxKeptBytes of them outside it.
  void keep_from(std::uint64_t position) { keep_from_ = position; }

  Seq first() const { return first_; }  // the oldest event that is held; next() when there is none
  Seq next() const { return next_; }    // the seq that the next event will have
  Cursor end() const { return {end_, next_}; }
  std::uint64_t bytes() const { return end_ - begin(); }
  std::uint64_t events() const { return entries_.size(); }

  bool holds(Seq seq) const { return first_ <= seq && seq <= next_; }
  bool holds(const Cursor& cursor) const { return begin() <= cursor.position; }

  // The cursor before event `seq`. Precondition: holds(seq).
  Cursor before(Seq seq) const;

  // What can be read at once from the cursor on, and the cursor behind it; empty at the end of the
  // log. Precondition: holds(cursor).
  struct Run {
    ByteSpan bytes;
    Cursor behind;
  };
  Run read(const Cursor& cursor) const;

  // The event whose bytes hold `position`. Precondition: begin() <= position < end().position.
  LoggedEvent event_at(std::uint64_t position) const;

  // When an event was accepted. Precondition: first() <= seq < next().
  TimePoint accepted(Seq seq) const { return entries_[distance(first_, seq)].accepted; }

 private:
  struct Entry {
    std::uint64_t begin = 0;
    TimePoint accepted{};
  };
  struct Stretch {
    std::shared_ptr<const LogChunk> chunk;
    Seq first;
  };

  std::uint64_t begin() const { return entries_.empty() ? end_ : entries_.front().begin; }
  std::size_t stretch_index(std::uint64_t position) const;
  void evict();
  bool oldest_may_go() const;

  const Bounds bounds_;
  Ring<Entry> entries_;      // event first_ + i is entries_[i]
  Ring<Stretch> stretches_;  // the chunks that hold them, in order
  Seq first_{1};
  Seq next_{1};
  std::uint64_t end_ = 0;
  std::uint64_t keep_from_ = kKeepNothing;
};

}  // namespace syncrelay
