#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "syncrelay/base/clock.h"
#include "syncrelay/base/ids.h"
#include "syncrelay/protocol/command.h"
#include "syncrelay/protocol/refused_message.h"
#include "syncrelay/protocol/refused_subscription.h"

// Every JSON that a client can hear (docs/protocol.md section 1), but for the values in it, which
// are the backends' own bytes. A channel is empty where it is the default one, which no message
// names; otherwise is_channel_name(), where nothing else is said.
namespace syncrelay {

// Whether clients hear of an accepted command by an event of its own.
constexpr bool makes_event(const Command& command) {
  return command.op == Op::broadcast || (command.notify && command.op < Op::broadcast);
}

// What became of a member of a channel.
enum class MemberChange : std::uint8_t { joined, changed, left };

struct MemberText {
  std::string_view id;     // is_identity()
  std::string_view info;   // JSON object
  std::string_view since;  // as append_timestamp() writes it
};

// Puts events together. What it returns is in pieces, to be laid down one behind the other: most of
// them are the command's own bytes, which are copied once, into the log. Keeps its buffers from one
// event to the next; one thread at a time.
class EventEncoder {
 public:
  using Pieces = std::span<const std::string_view>;

  // The event of a command that was accepted at `ts`, in this channel. `back_to_null`: a deleted
  // key does not go, it becomes null. They point into the name, the command and the encoder: valid
  // until the next call. Precondition: makes_event(command).
  Pieces encode(std::string_view channel, const Command& command, bool back_to_null, WallTime ts,
                Seq seq);

  // The event of a member, as above. One that left has nothing but an id.
  Pieces encode(std::string_view channel, MemberChange change, const MemberText& member,
                WallTime ts, Seq seq);

 private:
  void add(std::string_view piece) { pieces_[count_++] = piece; }
  Pieces finish(WallTime ts, Seq seq);
  void add_channel(std::string_view channel);
  void add_broadcast(std::string_view channel, const Command& command);
  void add_change(std::string_view channel, const Command& command, bool back_to_null);

  void add_sender(const Command& command);
  void add_trace(const Command& command);

  std::array<std::string_view, 15> pieces_;
  std::size_t count_ = 0;
  std::string key_;  // as JSON
  std::string tail_;
};

// Where a client stands behind a snapshot or before a resume, and the relay's clock at that moment.
struct PositionText {
  WallTime ts;
  Seq seq;
  std::string_view epoch;
};

// `sync:full` is snapshot_head(), the members of the state, kSnapshotTail and what snapshot_end()
// returns; where a channel keeps members, kSnapshotMembers and they come before the tail.
// `skipped`: events that the client did not get; 0 is not told.
inline constexpr std::string_view kSnapshotHead =
    R"({"type":"sync:full","data":{)";  // of the default channel
inline constexpr std::string_view kSnapshotMembers = R"(},"members":{)";
inline constexpr std::string_view kSnapshotTail = "}";
std::string snapshot_head(std::string_view channel);
std::string snapshot_end(const PositionText& position, std::uint64_t skipped);

// The client stands at `position` and gets what follows it, up to event `last`.
std::string resume_message(std::string_view channel, const PositionText& position, Seq last);

// `dropped`: not because the client asked for it. `skipped`: events before the drop that it did not
// get; 0 is not told. `channel`: any bytes, as below.
std::string unsubscribed_message(std::string_view channel, bool dropped, std::uint64_t skipped);

// `channel`: as the client wrote it, any bytes; shown as far as kMaxChannelBytes.
std::string refused_message(std::string_view channel, RefusedSubscription why);

// What the client said is taken; or it is not. `ref`: valid UTF-8, with which the client said it;
// empty: none. `code` needs no escapes; `message`: for a person, any bytes.
std::string ack_message(std::string_view ref);
std::string error_message(std::string_view ref, std::string_view code, std::string_view message);
std::string error_message(std::string_view ref, RefusedMessage why);

// What the client's token grants ends soon.
std::string expiring_message(std::chrono::seconds left);

inline constexpr std::string_view kHeartbeat = R"({"type":"ping"})";

}  // namespace syncrelay
