#pragma once

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
#include "syncrelay/channel/channels.h"
#include "syncrelay/channel/event_log.h"
#include "syncrelay/channel/restored.h"
#include "syncrelay/metrics/stats.h"
#include "syncrelay/post/letter.h"
#include "syncrelay/protocol/command.h"
#include "syncrelay/protocol/rejection.h"
#include "syncrelay/relay/batch.h"
#include "syncrelay/relay/history_copy.h"
#include "syncrelay/relay/id_window.h"
#include "syncrelay/relay/idle_channels.h"
#include "syncrelay/relay/inbox.h"
#include "syncrelay/relay/notices.h"
#include "syncrelay/relay/order.h"
#include "syncrelay/relay/presence.h"
#include "syncrelay/relay/store.h"
#include "syncrelay/relay/subscriber_counts.h"
#include "syncrelay/relay/timers.h"

namespace syncrelay {

// What became of a command, and whether it had been taken before.
struct Accepted {
  Outcome outcome;  // of a duplicate: only the channel, and the position that the first one had
  bool duplicate = false;
  bool stored =
      false;  // a duplicate of a command that is in effect, whatever becomes of this batch

  Seq seq() const { return outcome.position.seq; }
};

// The single writer: applies letters in their order, encodes each event once, has the batch stored
// and posts the same Update to every shard. Owns nothing that a client touches. Relay thread only.
class Relay {
 public:
  struct Settings {
    Channels::Settings channels;
    EventLog::Bounds window;  // of the shards' logs
    IdWindow::Bounds ids;
    Inbox::Settings inbox{};
    Presence::Settings presence = {};
  };

  // `shards`, `stats` and `store` must outlive the relay. Without a store (null) everything ends
  // with the process.
  Relay(const Settings& settings, const Clock& clock, std::vector<Mailbox<Letter>*> shards,
        RelayStats& stats, Store* store);

  // Goes on from what was stored: returns what brings a new replica to the same point.
  // To be called once, before anything else.
  Restored restore(const StoredHistory& history);

  // Takes one letter of the order and stages what it does; nothing has left before publish(). A
  // rejected command has changed nothing. Precondition: the command is no query.
  Result<Accepted, Rejection> apply(const Command& command, const Moment& moment);
  void apply(const Expire& expire, const Moment& moment);
  void apply(const Forget& forget, const Moment& moment);
  void apply(const Arrive& arrive, const Moment& moment);
  Departure apply(const Depart& depart, const Moment& moment);
  void apply(const Gone& gone) { presence_.hear(gone, clock_.now()); }

  // What brings another relay to this point of the order, but for events and the inbox; `now`: the
  // order's time, by which the times of keys count there. nullopt: something is staged.
  std::optional<HistoryCopy> copy_history(WallTime now) const;
  // Letters that come now happened before this time, so keys last that much shorter; nullopt: they
  // happen now.
  void replay_until(std::optional<WallTime> time) { replay_until_ = time; }
  // Under which id it shares its order with others, from now on.
  void move(RelayId home) { presence_.move(home, clock_.now()); }

  // What clients say to the backend, and what workers do with it. What is staged there leaves with
  // the batch.
  Inbox& inbox() { return inbox_; }
  const Inbox& inbox() const { return inbox_; }
  // Who came and went, for workers that ask.
  Notices& notices() { return notices_; }
  // How long the relay has run, this time and before, as far as it was stored.
  Duration ran() const { return clock_.now() - running_since_; }

  // Whether it is time to publish(), so that what is staged stays bounded.
  bool batch_full() const { return batch_.full() || inbox_.is_batch_full(); }

  // Stores what is staged and then posts it to every shard; waits while a shard's mailbox is full.
  // When it cannot be stored, all of it is taken back, as if none of its commands had come.
  Result<void, Rejection> publish();

  // What should come into the order because its time has come, or nobody needs it any more; at most
  // so many of each. It stays due until it is published.
  std::vector<Expire> expired(std::size_t max) const { return timers_.due(clock_.now(), max); }
  std::vector<Forget> forgettable(std::size_t max) { return idle_.forgettable(max); }
  // What is to make room where there is none for another channel, looked for once a second.
  std::vector<Forget> spare_channels(std::size_t max);
  std::vector<Presence::Wish> comings_and_goings(std::size_t max) {
    return presence_.due(clock_.now(), max);
  }
  std::optional<TimePoint> next_expiry() const { return timers_.next(); }
  std::optional<TimePoint> next_coming_or_going() const { return presence_.next(); }
  bool has_idle_channels() const { return !idle_.empty(); }

  // So many clients of this shard follow the channel now.
  void hear(std::size_t shard, const Subscribers& subscribers) { idle_.hear(shard, subscribers); }
  // So many connections of an identity follow a channel that keeps members.
  void attend(std::size_t shard, const Attendance& attendance) {
    presence_.hear(shard, attendance, clock_.now());
  }
  const SubscriberCounts& subscribers() const { return idle_.subscribers(); }

  // See Store; a relay that stores nothing refuses.
  Result<void, Rejection> begin_backup();
  std::optional<Result<std::string, Rejection>> step_backup() { return store_->step_backup(); }

  // For clients of one shard; waits while its mailbox is full.
  void post(std::size_t shard, const Letter& letter) { shards_[shard]->post(letter); }

  // Posts the inquiry to every shard; returns how many there are.
  std::size_t ask(const Letter& letter);

  const ChannelTable& channels() const { return channels_.table(); }
  // Of the default channel.
  Seq last() const { return channels().main().last; }
  const State& state() const { return channels().main().state; }

 private:
  std::optional<Accepted> repetition(const Command& command, const Moment& moment);
  void stage_id(const std::string& id, Seq seq, Duration accepted);
  // By which ids grow old.
  Duration time_of(const Moment& moment) const { return moment.at ? *moment.at : ran(); }
  Result<void, Rejection> store_staged();
  void add_channels(StoreBatch& batch) const;
  void add_members(StoreBatch& batch) const;
  void keep();
  void take_back();
  void keep_times(const Update& part, const Batch::Timed* timed);
  void restore_channels(const StoredHistory& history, Restored& restored);
  void restore_times(const StoredHistory& history);
  void restore_channel(Channel channel, const StoredHistory& history, Restored& restored);
  void restore_members(Channel& channel, const StoredHistory& history, Update& update) const;
  void restore_events(const StoredHistory& history, Restored& restored);
  void restore_ids(const StoredHistory& history);
  void show_numbers();

  const Clock& clock_;
  const std::vector<Mailbox<Letter>*> shards_;
  RelayStats& stats_;
  Store* const store_;
  Channels channels_;
  IdWindow ids_;
  Inbox inbox_;
  Notices notices_;
  Timers timers_;
  IdleChannels idle_;
  std::optional<WallTime> replay_until_;
  TimePoint next_spare_{};  // not looked for before
  Presence presence_;
  Batch batch_;
  TimePoint running_since_;        // as if it had never been down
  std::uint64_t events_ever_ = 0;  // published
};

}  // namespace syncrelay
