#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "syncrelay/base/clock.h"
#include "syncrelay/base/ids.h"
#include "syncrelay/base/mailbox.h"
#include "syncrelay/base/result.h"
#include "syncrelay/channel/channel.h"
#include "syncrelay/channel/log_writer.h"
#include "syncrelay/channel/restored.h"
#include "syncrelay/metrics/stats.h"
#include "syncrelay/post/letter.h"
#include "syncrelay/protocol/command.h"
#include "syncrelay/protocol/rejection.h"
#include "syncrelay/relay/id_window.h"
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
    Channel::Settings channel;
    std::uint64_t log_bytes;
    IdWindow::Bounds ids;
  };

  // `shards`, `stats` and `store` must outlive the relay. Without a store (null) everything ends
  // with the process.
  Relay(const Settings& settings, const Clock& clock, std::vector<Mailbox<Letter>*> shards,
        RelayStats& stats, Store* store);

  // Goes on from what was stored: returns what brings a new replica to the same point.
  // To be called once, before anything else.
  Restored restore(const StoredHistory& history);

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

  // Posts the inquiry to every shard; returns how many there are.
  std::size_t ask(const Inquiry& inquiry);

  Seq last() const { return channel_.last(); }
  const State& state() const { return channel_.state(); }

 private:
  void stage_id(const std::string& id, Seq seq);
  void stage(const Channel::Effect& effect);
  Update update_of(LogWriter::Written written, Seq seq) const;
  Result<void, Rejection> store_staged();
  void keep();
  void take_back();
  void begin_batch();
  Duration ran() const { return clock_.now() - running_since_; }
  void show_numbers();

  const Clock& clock_;
  const std::vector<Mailbox<Letter>*> shards_;
  RelayStats& stats_;
  Store* const store_;
  Channel channel_;
  TimePoint running_since_;  // as if it had never been down
  IdWindow ids_;
  LogWriter log_;
  LogWriter::Mark kept_log_;    // before the first staged command
  std::vector<Letter> staged_;  // updates
  std::vector<IdRecord> staged_ids_;
  std::size_t staged_bytes_ = 0;
  std::array<std::uint64_t, kOpNames.size()> staged_commands_{};  // by Op
};

}  // namespace syncrelay
