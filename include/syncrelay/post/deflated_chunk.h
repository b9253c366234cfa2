#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "syncrelay/base/bytes.h"
#include "syncrelay/base/clock.h"
#include "syncrelay/protocol/deflater.h"

namespace syncrelay {

class LogChunk;

// What of a run of the log is to be written at once.
struct WireRun {
  ByteSpan bytes;            // valid as long as the chunk
  std::uint64_t behind = 0;  // position in the log behind its last event
  bool deflated = false;     // DeflatedChunk laid it down
};

// Who has events deflated, how much of that it may have done, and what was done.
struct Deflating {
  Deflater& deflater;
  std::size_t bytes_left = 0;     // of the log; the last event may be longer than what is left,
  const Clock* clock = nullptr;   // or take longer than
  Duration time_left{};           // this, where there is a clock
  std::uint64_t events = 0;       // that are deflated,
  std::uint64_t plain_bytes = 0;  // as they lie in the log,
  std::uint64_t wire_bytes = 0;   // and deflated
  std::uint64_t events_left = 0;  // that go as they are: no room, nothing left, or very long
};

// A chunk's events once more, each as a message of permessage-deflate that needs no other
// (RFC 7692), for the clients that have negotiated that: laid down when one of them is first
// written the event, for all of them. Events follow each other here in the order in which they were
// first needed; those that do so in the log, too, are a segment, of which any part can be written
// at once.
//
// A short event is not worth it, and goes as it is; among deflated ones it is copied, so that they
// stay together. So does one that deflating makes no shorter.
//
// Invariant: it holds at most half as many bytes as its chunk, its index with them. What is beyond
// that goes as it lies in the log.
//
// Thread-safe. What it has laid down never changes or moves.
class DeflatedChunk {
 public:
  static constexpr std::size_t kMostEventBytes = 512 * 1024;  // a longer one goes as it is

  // What of the log from `from` to `to` is to be written at once: at least an event. Preconditions:
  // both are where events of `chunk` begin or end, which is this one's; from < to.
  WireRun run(const LogChunk& chunk, std::uint64_t from, std::uint64_t to, Deflating& work);

  struct Event {
    std::uint64_t position;  // where it begins in the log
    ByteSpan bytes;          // as it is laid down here
  };
  // The event that the byte at `place` belongs to. Precondition: run() gave it, deflated.
  Event event_at(const LogChunk& chunk, const std::byte* place) const;

  // What it holds of memory, and never more than its bound.
  std::size_t bytes() const;

 private:
  // Offsets in the chunk and here.
  struct Start {
    std::uint32_t plain;
    std::uint32_t here;
  };
  struct Segment {
    std::uint32_t begin;  // offsets in the chunk
    std::uint32_t end;
    std::uint32_t first;  // its events in starts_
    std::uint32_t last;
  };
  using Segments = std::vector<Segment>;

  Segments::iterator segment_for(std::uint32_t from);
  // Each returns how far the events must go as they are, when it comes to those.
  std::uint32_t lay(const LogChunk& chunk, Segment& segment, std::uint32_t to, Deflating& work);
  bool lay_event(const LogChunk& chunk, ByteSpan event, Segment& segment, Deflating& work);
  bool copy(const LogChunk& chunk, ByteSpan event, Segment& segment);
  std::size_t room(const LogChunk& chunk) const;
  std::byte* reserve(const LogChunk& chunk, std::size_t size);
  void add(Segment& segment, std::size_t plain, std::size_t here);
  WireRun cut(const LogChunk& chunk, const Segment& segment, std::uint32_t from,
              std::uint32_t to) const;
  std::uint32_t place_of(const Segment& segment, std::uint32_t plain) const;
  std::uint32_t end_of(std::size_t index) const;

  mutable std::mutex mutex_;            // guards all of these, but not what bytes_ points to
  std::unique_ptr<std::byte[]> bytes_;  // null: nothing was laid down yet
  std::uint32_t used_ = 0;
  bool full_ = false;
  std::vector<Start> starts_;  // in the order in which they were laid down
  Segments segments_;          // in the order of the log
};

}  // namespace syncrelay
