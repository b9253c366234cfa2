#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <variant>

#include "syncrelay/base/bytes.h"
#include "syncrelay/base/ids.h"
#include "syncrelay/channel/event_log.h"
#include "syncrelay/metrics/stats.h"
#include "syncrelay/protocol/frame.h"
#include "syncrelay/shard/snapshot.h"
#include "syncrelay/shard/transport.h"

namespace syncrelay {

// A large snapshot that is on its way, and what is told at its end.
struct SnapshotUnderWay {
  std::shared_ptr<Snapshot> snapshot;
  Seq seq;                       // where the client stands behind it
  std::uint32_t generation = 0;  // of its channel
  std::uint64_t skipped = 0;     // what it has to admit
  Snapshot::Place place = {};    // the fragment that is next
};

// Everything that goes out to one client passes here, in whole frames; what a transport takes only
// in part is ended here, so that nothing ever lands inside. A long message that is half sent
// belongs to the outlet, whatever becomes of the channel it came from: it holds what it needs of
// it, and no other message comes between its fragments (RFC 6455 section 5.4). Its shard's thread
// only.
//
// Invariant: between two calls everything handed to the transport ends at a frame's end.
class Outlet {
 public:
  // Both must outlive it.
  // `deflates`: the client has negotiated permessage-deflate (RFC 7692).
  Outlet(Transport& transport, ShardStats& stats, bool deflates)
      : transport_(transport), stats_(stats), deflates_(deflates) {}
  ~Outlet();
  Outlet(const Outlet&) = delete;
  Outlet& operator=(const Outlet&) = delete;

  // What has to be written before anything else: control frames and the end of a snapshot, which go
  // at any frame's end; the rest of a long message of the log; fragments of a snapshot; and
  // messages of this client's own.
  enum class Due : std::uint8_t { nothing, frames, rest_of_event, snapshot, messages };
  Due due() const { return waiting_ ? waiting_->due() : Due::nothing; }

  // Each writes what is due of that kind. False: the transport takes no more. Precondition: due().
  bool write_frames() { return write_out(waiting_->frames); }
  bool write_rest_of_event();
  bool write_messages() { return write_out(waiting_->messages); }
  // One fragment; returns what that took, see Snapshot::Given. It goes whole or not at all.
  std::size_t write_fragment(Snapshot::Fragment& scratch, Deflater& deflater);

  // Goes at the next frame's end; between two messages behind those that were added before.
  void add_control(std::string_view frame);
  // Goes behind the message that is under way and those that were added before. Short: at most a
  // fragment.
  void add_message(std::string_view payload, Coding coding = Coding::plain);
  std::size_t waiting_bytes() const { return waiting_ ? waiting_->messages.left() : 0; }

  // Offers whole messages of the log; returns how many bytes were taken. When that is not all,
  // stop_in() has to follow. Precondition: nothing is due.
  std::size_t write(ByteSpan messages);
  // The transport took this many bytes of an event that lies in this chunk or its deflated one, and
  // no more. True: what is left of the event is the outlet's.
  bool stop_in(ByteSpan event, std::size_t taken, const std::shared_ptr<const LogChunk>& chunk);

  void begin_snapshot(SnapshotUnderWay snapshot);
  // Precondition: all its fragments are written.
  void end_snapshot(std::string_view text);

  // Null: none is on its way.
  const SnapshotUnderWay* snapshot() const;
  // The part of the log that this client alone may hold back, being in the middle of a message;
  // else null.
  const LogChunk* held_chunk() const;
  bool in_long_message() const { return waiting_ && waiting_->in_long_message(); }

  Transport& transport() const { return transport_; }
  bool deflates() const { return deflates_; }
  bool blocked() const { return blocked_; }  // waits for the transport, having more to write
  void unblock();
  bool idle() const { return !blocked_ && !waiting_; }
  std::uint64_t bytes_sent() const { return bytes_sent_; }

  // Lets go of all that it holds. Nothing is written any more.
  void let_go();

 private:
  // The rest of a long message of the log of which some fragments are sent; it must be ended
  // whatever the window does.
  struct EventUnderWay {
    std::shared_ptr<const LogChunk> chunk;
    ByteSpan rest;
  };

  // Frames of the outlet's own.
  struct Frames {
    std::string bytes;
    std::size_t sent = 0;
    bool empty() const { return bytes.empty(); }
    std::size_t left() const { return bytes.size() - sent; }
  };
  struct Waiting {
    Due due() const;
    bool in_long_message() const { return long_message.index() != 0; }

    Frames frames;    // may go out at any frame's end
    Frames messages;  // may go out between two messages
    std::variant<std::monostate, EventUnderWay, SnapshotUnderWay> long_message;  // half sent
  };

  Waiting& waiting();
  void forget_what_is_gone();
  bool write_out(Frames& frames);
  void append(std::string& frames, std::string_view payload, MessagePart part, Coding coding);
  std::size_t write_whole_frames(ByteSpan frames);
  void finish_frame(ByteSpan rest);
  void block();

  Transport& transport_;
  ShardStats& stats_;
  std::unique_ptr<Waiting> waiting_;  // null, as it mostly is: nothing waits
  std::uint64_t bytes_sent_ = 0;
  bool blocked_ = false;
  const bool deflates_;
};

static_assert(sizeof(Outlet) <= 40, "each event touches that of every client");

}  // namespace syncrelay
