#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "syncrelay/base/bytes.h"
#include "syncrelay/base/clock.h"
#include "syncrelay/base/ids.h"
#include "syncrelay/base/result.h"
#include "syncrelay/channel/homes.h"
#include "syncrelay/channel/tombstones.h"
#include "syncrelay/post/channel_name.h"
#include "syncrelay/post/update.h"
#include "syncrelay/protocol/rejection.h"
#include "syncrelay/relay/inbox_message.h"

namespace syncrelay {

// The id of a command and the position that was answered to it.
struct IdRecord {
  std::string id;
  Seq seq;
  Duration accepted;  // when, by the time that the relay ran, see StoreBatch::ran
};

// When a key goes by itself, unless it is set again.
struct Expiry {
  WallTime at;                      // by the host's clock
  std::chrono::milliseconds after;  // it was set; no clock makes it last longer
  bool told = true;                 // clients are told, as of a delete
};

// What a key of a channel becomes. A null `change`: the channel is gone, with all its keys.
struct StoredChange {
  ChannelName channel;
  const StateChange* change = nullptr;
  std::optional<Expiry> expiry = std::nullopt;
};

// An event and its wire bytes.
struct StoredEvent {
  ChannelName channel;
  Seq seq;
  ByteSpan wire;
};

// A channel besides the default one.
struct StoredChannel {
  std::string name;
  Seq start;                     // the position at which it was made: its events are past it
  Seq last;                      // its newest event
  std::uint32_t generation = 0;  // see Tombstones
};

// What one batch did to what clients have said to the backend.
struct InboxChanges {
  std::span<const InboxMessage> said;   // in order
  std::span<const std::uint64_t> done;  // numbers
  std::span<const IdRecord> refs;       // in order; of each the sender and its `ref`
  std::uint64_t next = 1;               // the number of the next message
  bool received = false;                // a backend has asked for messages, now or before
};

// A member of a channel, see channel/member.h, as it is behind the batch.
struct StoredMember {
  std::string channel;
  std::string id;
  StateValue value;            // null: it is none (any more)
  StateValue will;             // null: it has none
  StateValue homes = nullptr;  // where relays share an order, as homes_text(); else null
};

// What one batch of commands did. The views are the caller's and hold for the call.
struct StoreBatch {
  std::uint64_t first_event = 1;      // the number of the batch's first event, among all of the log
  std::vector<StoredEvent> events;    // in order
  std::vector<StoredChange> changes;  // in order
  std::vector<StoredChannel> channels;  // as they are behind the batch: those that it touched, and
                                        // that are there
  std::vector<std::string> gone;        // those that are not there (any more)
  // Those that came, changed, left or have another will; a change without `change` above has taken
  // all members from its channel before.
  std::vector<StoredMember> members;
  // The tombstones that the batch put; when `generation` is another than before, all that were
  // there before are gone.
  Tombstones::ByHash tombstones;
  std::uint32_t generation = 0;
  Seq last;                   // of the default channel's events so far
  std::uint64_t version = 0;  // the newest of all keys, see State
  std::vector<IdRecord> ids;  // in order
  InboxChanges inbox;
  // How long the relay has run so far, this time and before, as far as it was stored. It runs
  // forward only, whatever is done to the host's clock; while the relay is down it stands.
  Duration ran{};
};

// Successive events of one channel.
struct StoredRun {
  ChannelName channel;
  Seq first;
  std::uint64_t count = 0;
};

// Events as they were committed, in the order of the log.
struct StoredEvents {
  std::vector<StoredRun> runs;
  std::string wire;  // their messages, whole, one behind the other
};

// The value of a key.
struct StoredValue {
  StateValue value;
  std::uint64_t version = 0;
  std::optional<Expiry> expiry = std::nullopt;
};

// What clients have said and no backend was done with.
struct StoredInbox {
  std::vector<InboxMessage> messages;  // by number
  std::vector<IdRecord> refs;          // oldest first
  std::uint64_t next = 1;
  bool received = false;
};

// All that was committed before this process began.
struct StoredHistory {
  std::string epoch;
  Seq last;                       // of the default channel
  std::uint64_t events_ever = 0;  // events of the log so far, see StoreBatch::first_event
  std::uint64_t version = 0;
  std::map<std::string, std::map<std::string, StoredValue>> state;  // by channel, by key
  std::map<std::string, std::vector<StoredMember>> members;         // by channel
  std::vector<StoredChannel> channels;
  Tombstones tombstones;
  // The window. Events of channels that are gone are left out; what is there of a channel is
  // contiguous and ends at its `last`.
  std::vector<StoredEvents> events;
  std::vector<IdRecord> ids;  // oldest first
  StoredInbox inbox;
  Duration ran{};             // see StoreBatch
  std::vector<RelayId> dead;  // relays of which members have not departed yet
  // Why something may be missing that was confirmed once: then the epoch is a new one.
  std::optional<std::string> missing;
};

// Where the relay keeps what must survive it. A batch is kept whole or not at all. An interface
// because it is an edge: tests make it fail. Relay thread only.
class Store {
 public:
  virtual ~Store() = default;

  // When this returns ok, the batch is there after a restart; when it returns a rejection, it is
  // not, but for `storage_uncertain`. The rejection says what is wrong with the storage.
  virtual Result<void, Rejection> commit(const StoreBatch& batch) = 0;

  // Makes one file of all that is stored, by short steps between batches; what is committed
  // meanwhile is in it, too. A step returns the path when it was the last; nullopt when there is
  // more to do. Precondition of begin_backup(): none is under way; of step_backup(): one is.
  virtual Result<void, Rejection> begin_backup() = 0;
  virtual std::optional<Result<std::string, Rejection>> step_backup() = 0;
};

}  // namespace syncrelay
