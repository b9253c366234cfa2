#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "syncrelay/base/clock.h"
#include "syncrelay/base/ids.h"
#include "syncrelay/base/mailbox.h"
#include "syncrelay/base/result.h"
#include "syncrelay/metrics/stats.h"
#include "syncrelay/post/client_list.h"
#include "syncrelay/post/update.h"
#include "syncrelay/protocol/command.h"
#include "syncrelay/protocol/rejection.h"
#include "syncrelay/protocol/server_message.h"
#include "syncrelay/relay/id_window.h"
#include "syncrelay/relay/log_writer.h"
#include "syncrelay/relay/store.h"

namespace syncrelay {

// What became of a command: the position behind it, and whether it had been taken before.
struct Accepted {
  Seq seq;
  bool duplicate = false;
  bool stored =
      false;  // a duplicate of a command that is in effect, whatever becomes of this batch
};

// The single writer: puts what the backends command into one order, gives each event its seq and
// time, encodes it once, has it stored and posts the same Update to every shard. Owns nothing that
// a client touches. Relay thread only.
class Relay {
 public:
  struct Settings {
    std::vector<std::string> state_keys;  // these exist from the start, as null
    std::uint64_t max_state_bytes;        // keys and values together
    std::uint64_t max_state_keys;
    std::uint64_t log_bytes;
    IdWindow::Bounds ids;
  };

  // `shards`, `stats` and `store` must outlive the relay. Without a store (null) everything ends
  // with the process.
  Relay(const Settings& settings, const Clock& clock, std::vector<Mailbox<Update>*> shards,
        RelayStats& stats, Store* store);

  // Goes on from what was stored: returns the updates that bring a new replica to the same point.
  // To be called once, before anything else.
  std::vector<Update> restore(const StoredHistory& history);

  // Takes one command and stages what it does; nothing has left before publish(). A rejected
  // command has changed nothing. Precondition: the command is no query.
  Result<Accepted, Rejection> apply(const Command& command);

  // Counts a command that was refused before it came this far.
  void count(RejectReason reason) { counter(stats_.rejected, reason).add(); }

  // Whether it is time to publish(), so that what is staged stays bounded.
  bool batch_full() const;

  // Stores what is staged and then posts it to every shard; waits while a shard's mailbox is full.
  // When it cannot be stored, all of it is taken back, as if none of its commands had come.
  Result<void, Rejection> publish();

  // See Store; a relay that stores nothing refuses.
  Result<void, Rejection> begin_backup();
  std::optional<Result<std::string, Rejection>> step_backup() { return store_->step_backup(); }

  // Asks every shard to report its clients.
  void request(std::shared_ptr<ClientList> list);

  Seq last() const { return last_; }
  const std::map<std::string, StateValue>& state() const { return state_; }

 private:
  using State = std::map<std::string, StateValue>;

  // How it was before the first staged command.
  struct Undo {
    Seq last;
    LogWriter::Mark log;
    std::vector<StateChange> state;  // to be applied from the back
  };

  Result<StateChanges, Rejection> changes_of(const Command& command) const;
  StateChanges change(const std::string& key, std::string value) const;
  std::optional<Rejection> check_room(const StateChanges& changes) const;
  void take_in(const StateChanges& changes);
  void put(const StateChange& change);
  void stage_event(const Command& command, Update& update);
  Result<void, Rejection> store_staged();
  void take_back();
  void begin_batch();
  Duration ran() const { return clock_.now() - running_since_; }
  bool is_configured(const std::string& key) const { return configured_keys_.count(key) != 0; }
  void show_numbers();

  const Settings settings_;
  const std::set<std::string> configured_keys_;
  const Clock& clock_;
  const std::vector<Mailbox<Update>*> shards_;
  RelayStats& stats_;
  Store* const store_;
  State state_;
  std::uint64_t state_bytes_ = 0;
  Seq last_{0};
  TimePoint running_since_;  // as if it had never been down
  IdWindow ids_;
  LogWriter log_;
  EventEncoder encoder_;
  std::vector<Update> staged_;
  std::vector<IdRecord> staged_ids_;
  std::size_t staged_bytes_ = 0;
  std::array<std::uint64_t, kOpNames.size()> staged_commands_{};  // by Op
  Undo undo_;
};

}  // namespace syncrelay
