#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "syncrelay/base/clock.h"
#include "syncrelay/base/log.h"
#include "syncrelay/base/result.h"
#include "syncrelay/channel/homes.h"
#include "syncrelay/protocol/command_decoder.h"
#include "syncrelay/redis/checkpoint_maker.h"
#include "syncrelay/redis/cluster_log.h"
#include "syncrelay/relay/letter_codec.h"
#include "syncrelay/relay/order.h"

namespace syncrelay {

// The order of a relay of a cluster: letters go into the log that all share, and come back from it.
//
// An order has one epoch. Where the log goes on under another one, or with another state, it ends:
// it gives no letter more, and the relay has to begin anew with another order, from what the log
// has. So no client hears of one epoch what happened under another.
//
// begin() is for the thread that builds; then all but has_ended() is for the relay's thread.
class RedisOrder final : public Order {
 public:
  // Who applies what it gives.
  struct User {
    // Makes the state behind all that next() has returned, `now` by the order's time, while the
    // user goes on: it runs on a thread of its own. Without `make`: not all of it was kept
    // yet, and it is asked again by next().
    std::function<CheckpointMaker::Work(WallTime now)> state;
    // Under this id from now on.
    std::function<void(RelayId)> moved;
  };

  // Who begins.
  struct Beginner {
    std::function<std::string()> first_state;  // of a cluster that has none
    // What events make of a state; `newest`: when the last of them was, by the order's time.
    std::function<std::string(const std::string& state, std::deque<ClusterEvent> events,
                              WallTime newest)>
        fold;
    std::function<std::optional<std::string>()> give_up;  // why; asked now and then
  };

  // Where the relay begins: this state, and then what next() gives, the events up to `newest` at
  // once.
  struct Beginning {
    std::string epoch;
    std::string state;
    WallTime made;    // by the order's time, the state
    WallTime newest;  // the last event
    WallTime now;     // by the clock of Redis; not before `newest`
  };

  // Why it has ended.
  struct Ending {
    std::string why;
    bool begins_anew;  // with another order; else this relay cannot take part, ever
  };

  // `wake` runs on any thread when next() may have something again, or the order has ended.
  RedisOrder(ClusterLog::Settings settings, const Log& log, std::function<void()> wake);
  // Gives these events alone, and takes nothing.
  explicit RedisOrder(std::deque<ClusterEvent> events);
  ~RedisOrder() override;

  // Waits for all that is in the log now. To be called once, before anything else. What lies behind
  // the checkpoint is kept until then, as far as kMostKept goes, so that it is a window of events;
  // what is older becomes part of the state.
  Result<Beginning, std::string> begin(const Beginner& beginner);
  RelayId home() const { return home_; }
  void set_user(User user) { user_ = std::move(user); }
  // When it has ended: waits until what was submitted is in the log, where whoever reads that finds
  // it, but for no longer than `patience`. The relay's thread has ended, too.
  void await_submitted(Duration patience);
  void stop();  // leaves the cluster

  void submit(const Letter& letter) override;
  const Ordered* next() override;
  void flush() override;
  Room room() const override;
  bool is_shared() const override { return true; }

  // Any thread. Then it stays so.
  std::optional<Ending> has_ended() const;

  WallTime newest() const { return newest_; }  // of what next() has returned, by the order's time

 private:
  struct UnderWay {
    Ticket ticket;  // kNobody: of no command
    std::size_t bytes;
    TimePoint since;
  };

  // Of letters between the checkpoint at which a relay begins and the end of the log: those of two
  // checkpoints' distance and of the time that the second takes have room.
  static constexpr std::size_t kMostKept = 192 << 20;

  bool fetch();
  const Ordered* next_of_entry();
  const Ordered* give(Letter letter);
  bool is_forged(const Letter& letter) const;
  bool open_next();
  void open(LettersCame came);
  void lose(std::uint64_t appends);
  Ticket take_ticket();
  UnderWay take_under_way();
  void show_under_way();
  bool answer_wanted(const CheckpointWanted& wanted);
  void end(std::string why, bool begins_anew);

  ClusterStats unseen_;  // where nobody asks for them
  ClusterStats& stats_;
  std::function<void()> wake_;
  std::atomic<bool> arrived_{true};  // there may be something to take
  std::optional<ClusterLog> log_;
  std::optional<CheckpointMaker> maker_;
  RelayId home_ = kAlone;
  User user_;
  std::deque<UnderWay> under_way_;  // what was appended and has not come back, in its order
  std::size_t bytes_under_way_ = 0;
  std::string gathered_;  // the last of these, which have not left
  std::uint64_t gathered_count_ = 0;
  std::vector<ClusterEvent> taken_;
  std::deque<ClusterEvent> events_;  // that have come, and were not opened
  LettersCame entry_;                // that is being read
  bool entry_open_ = false;          // not all of it was given
  TimePoint opened_{};               // when that began
  std::size_t entry_at_ = 0;         // behind the last frame that was begun
  std::uint64_t own_left_ = 0;       // frames of it that are this relay's
  bool own_ = false;                 // this one is
  std::optional<LetterReader> frame_;
  LetterWriter writer_;
  // Without a bound: what one relay's --max-command let in happens at all of them, whatever theirs
  // is; that it is bounded at all is the log's doing.
  CommandDecoder decoder_{SIZE_MAX};
  Ordered ordered_;
  WallTime newest_{};
  Ending ending_{};
  std::atomic<bool> ended_{false};  // `ending_` stays as it is
};

}  // namespace syncrelay
