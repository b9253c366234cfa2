#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "syncrelay/base/clock.h"

namespace syncrelay {

// What can happen to a connection, as `explain` tells it. Closed list: the `what` of a line. Two
// numbers, a and b, and a text go with each.
enum class StoryKind : std::uint8_t {
  connected,    // a: Arrivals; b: of the shard, from 1; address, behind a blank its proxy's
  identified,   // a: 1 by its token, 0 by itself; its id
  admitted,     // by a token; a: for how many seconds
  renewed,      // by a newer token; a: the same
  expiring,     // was told that its token ends; a: in how many seconds
  followed,     // with a snapshot; a: position of that; channel
  resumed,      // a: position; b: events since then; channel
  not_resumed,  // a: position that it asked for; b: NoResume; channel
  skipped,      // a: events; b: position of the snapshot in their place; channel
  renumbered,   // a: position from which on it goes; channel
  subscription_refused,  // a: RefusedSubscription; b: times; channel, cut
  unfollowed,            // as it asked; channel
  revoked,               // its newer token does not allow it any more; channel
  dropped,               // the channel ended; a: events that it did not get; channel
  message_refused,       // a: RefusedMessage; b: times
  slow,                  // takes nothing for a second; a: events that it is behind
  caught_up,             // takes what it is sent again
  goodbye,               // its close frame has words; a: its code; they
  ended,                 // a: code * 256 + CloseCause; b: events that it was behind; words sent
};
inline constexpr std::array<std::string_view, 19> kStoryKindNames = {"connected",
                                                                     "identified",
                                                                     "admitted",
                                                                     "renewed",
                                                                     "expiring",
                                                                     "followed",
                                                                     "resumed",
                                                                     "not_resumed",
                                                                     "skipped",
                                                                     "renumbered",
                                                                     "subscription_refused",
                                                                     "unfollowed",
                                                                     "revoked",
                                                                     "dropped",
                                                                     "message_refused",
                                                                     "slow",
                                                                     "caught_up",
                                                                     "goodbye",
                                                                     "ended"};

constexpr std::string_view name(StoryKind kind) {
  return kStoryKindNames[static_cast<std::size_t>(kind)];
}

// How a connection came; bits.
enum Arrivals : std::uint8_t { kOverTls = 1, kDeflated = 2 };

// Why a client that asked to go on at a position got a snapshot.
enum class NoResume : std::uint8_t {
  no_position,  // what it said is none
  other_epoch,  // under which the channel's numbers are not
  left_window,  // what it has still to get is not in the log any more
  not_reached,  // it lies behind all that the relay has told
};

struct StoryRecord {
  StoryKind kind = StoryKind::connected;
  std::chrono::milliseconds at{};  // since the story began
  std::uint64_t a = 0;
  std::uint64_t b = 0;
  std::string_view text{};  // lives as long as the story, unchanged
};

// What has happened to one connection, as compact records: some ten bytes each, and the text. When
// it would become longer than kMaxBytes it loses what stands in its middle. Every connection has
// one: 24 bytes, and 24 to 56 more while little happens. Whatever thread has it.
class Story {
 public:
  static constexpr std::size_t kMaxBytes = 2048;
  static constexpr std::size_t kBeginning = 512;  // bytes that stay, and the rest of a record
  static constexpr std::size_t kMaxText = 160;    // bytes; the rest is cut off

  Story() = default;
  explicit Story(WallTime begin) : begin_(begin) {}
  Story(const Story& other);
  Story& operator=(const Story& other);
  Story(Story&&) = default;
  Story& operator=(Story&&) = default;
  ~Story() = default;

  void add(const StoryRecord& record);
  // The same for what a client can have happen at will: when the newest record is the same but for
  // its time, that one's b is one more. `record.b` is 1.
  void count(const StoryRecord& record);

  WallTime begin() const { return begin_; }
  // In the order in which they were added.
  std::vector<StoryRecord> records() const;
  // Records that were lost; they stood behind the first kBeginning bytes.
  std::uint32_t dropped() const { return dropped_; }
  // Where in records() they stood. Precondition: dropped() > 0.
  std::size_t gap() const;
  std::size_t bytes() const { return size_ == 0 ? 0 : room_for(size_); }

 private:
  static std::size_t room_for(std::size_t size);
  std::string_view view() const;
  void condense();
  void append(std::string_view bytes);

  WallTime begin_;
  std::unique_ptr<char[]> bytes_;  // room_for(size_) of them
  std::uint32_t dropped_ = 0;
  std::uint16_t size_ = 0;
  std::uint16_t last_ = 0;  // where the newest record begins
};

static_assert(sizeof(Story) <= 24, "every connection has one");

}  // namespace syncrelay
