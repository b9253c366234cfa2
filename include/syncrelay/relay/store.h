#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "syncrelay/base/bytes.h"
#include "syncrelay/base/clock.h"
#include "syncrelay/base/ids.h"
#include "syncrelay/base/result.h"
#include "syncrelay/post/update.h"
#include "syncrelay/protocol/rejection.h"

namespace syncrelay {

// The id of a command and the position that was answered to it.
struct IdRecord {
  std::string id;
  Seq seq;
  Duration accepted;  // when, by the time that the relay ran, see StoreBatch::ran
};

// What one batch of commands did. The views are the caller's and hold for the call.
struct StoreBatch {
  Seq first;                                // of the batch's events; past `last` when it has none
  Seq last;                                 // of all events so far
  std::vector<ByteSpan> events;             // wire bytes of the events, in order
  std::vector<const StateChange*> changes;  // in order
  std::vector<IdRecord> ids;                // in order
  // How long the relay has run so far, this time and before, as far as it was stored. It runs
  // forward only, whatever is done to the host's clock; while the relay is down it stands.
  Duration ran{};
};

// A run of events as they were committed.
struct StoredEvents {
  Seq first;
  std::uint64_t count;
  std::string wire;  // whole messages
};

// All that was committed before this process began.
struct StoredHistory {
  std::string epoch;
  Seq last;
  std::map<std::string, StateValue> state;
  std::vector<StoredEvents> events;  // contiguous, ending at `last`
  std::vector<IdRecord> ids;         // oldest first
  Duration ran{};                    // see StoreBatch
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
