#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "syncrelay/base/clock.h"
#include "syncrelay/base/ids.h"
#include "syncrelay/base/ring.h"
#include "syncrelay/channel/channel_log.h"
#include "syncrelay/post/update.h"

namespace syncrelay {

// The window on the recent events of all channels: their wire bytes, ready to send, in the order in
// which the relay took them. Each channel finds its own by its ChannelLog. Bounded by bytes and by
// count for all channels together, whichever ends first, but never without the newest step; and for
// those that are kept waiting, by kMaxKeptBytes more. What a channel held that was dropped counts
// as bytes until the window has moved past it, since it lies in one chunk with the others'.
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

  // An event of `channel`, which stays where it is until drop() or as long as this log.
  // Precondition: the update has an event, and its seq is channel.next() unless the channel holds
  // none.
  void append(ChannelLog& channel, const Update& update);

  // What was appended since the last call was one step: what is older may go now.
  void end_step();

  // Forgets the events of this channel, which keeps its next().
  void drop(ChannelLog& channel);

  // Until the next call events that are not wholly before `position` stay, although the window has
  // moved on, as long as there are no more than kMaxKeptBytes of them outside it.
  void keep_from(std::uint64_t position) { keep_from_ = position; }

  std::uint64_t begin() const { return entries_.empty() ? end_ : entries_.front().begin; }
  std::uint64_t end() const { return end_; }
  std::uint64_t bytes() const { return end_ - begin(); }
  std::uint64_t events() const { return entries_.size() - dropped_; }

  // The chunk in which this event lies, to be held. Precondition: an event of this log.
  const std::shared_ptr<const LogChunk>& chunk_of(const LoggedEvent& event) const;

  // Calls `visit(accepted)` for each event that begins in [from, to).
  template <typename Visit>
  void for_each_accepted(std::uint64_t from, std::uint64_t to, Visit visit) const {
    for (std::size_t index = first_from(from); index < entries_.size(); ++index) {
      const Entry& entry = entries_[index];
      if (entry.begin >= to) return;
      if (entry.channel != nullptr) visit(entry.accepted);
    }
  }

 private:
  struct Entry {
    ChannelLog* channel = nullptr;  // null: it was dropped
    std::uint64_t begin = 0;
    TimePoint accepted{};
  };

  std::size_t first_from(std::uint64_t position) const;
  bool oldest_may_go() const;
  void pop_oldest();
  void release_chunks();

  const Bounds bounds_;
  Ring<Entry> entries_;                           // in the order of the log
  std::size_t dropped_ = 0;                       // of the entries
  Ring<std::shared_ptr<const LogChunk>> chunks_;  // that hold them, in order
  std::uint64_t end_ = 0;
  std::uint64_t step_begin_ = 0;  // of the newest step with an event
  bool in_step_ = false;          // end_step() is to follow
  std::uint64_t keep_from_ = kKeepNothing;
};

}  // namespace syncrelay
