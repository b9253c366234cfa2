#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "syncrelay/base/clock.h"
#include "syncrelay/base/log.h"
#include "syncrelay/base/redis_url.h"
#include "syncrelay/metrics/cluster_stats.h"
#include "syncrelay/redis/cluster_event.h"
#include "syncrelay/redis/cluster_options.h"

namespace syncrelay {

// The log that the relays of a cluster share, in one Redis stream: all append to it, and all are
// told all of it in the same order. What it promises:
//
// - What was appended comes back once, in the order of append(), whatever becomes of connections
//   and of Redis: until it has come back it is kept here, and appended again where it is not in the
//   log. Only a relay that ends before that may leave it in the log or not.
// - Under one epoch there is one history. When a Redis that was restarted, promoted, copied or
//   emptied may lack an entry that a relay has told its clients, a new epoch is founded with the
//   state of the relay that has read most, and all others take that over. One that is cut off with
//   an old master keeps the old epoch to itself; what it appended there is lost when it returns.
// - A relay that ends without a word, or is out of touch for `silent`, is declared gone once.
//
// Redis 5 or newer, alone, behind Sentinel, or as Redis Cluster (all keys in one slot). A user of
// its needs the commands that scripts.cpp names, and keys that begin with {prefix}: must not be
// evicted.
//
// Three threads of its own: one reads, and settles what is in doubt; one appends; one gives signs
// of life and writes checkpoints. All methods are for one thread, the user's, unless they say
// otherwise. The process ignores SIGPIPE.
class ClusterLog {
 public:
  struct Settings {
    RedisUrl url;
    ClusterOptions options;

    // What has been appended and not come back: nothing more is taken beyond either.
    std::size_t bytes = 8 << 20;
    std::size_t appends = 65'536;
    // A checkpoint is due after so many entries, or bytes of them, since the last one.
    std::uint64_t checkpoint_entries = 10'000;
    std::uint64_t checkpoint_bytes = 64 << 20;

    // What is counted, without `applied` and what is under way; null: nobody asks.
    ClusterStats* stats = nullptr;

    // Runs on any thread when there is something to take() again, as fd() tells; must not block.
    std::function<void()> wake = {};

    Duration beat = std::chrono::seconds(2);      // between signs of life
    Duration silent = std::chrono::seconds(10);   // without one a relay is gone
    Duration bid_wait = std::chrono::seconds(5);  // for the bids of those that say nothing
  };

  static constexpr std::size_t kMaxAppend = 64 << 20;  // bytes of one append

  ClusterLog(Settings settings, const Log& log);
  ~ClusterLog();  // stops
  ClusterLog(const ClusterLog&) = delete;
  ClusterLog& operator=(const ClusterLog&) = delete;

  void start();
  // Leaves the cluster, where Redis can be reached: then the relay is gone at once. Ends all
  // threads, which takes milliseconds, but up to 12 s with a Redis that takes connections and does
  // not answer, and longer where the resolver hangs. What has not come back is lost or not.
  void stop();

  // The first id of this relay; OwnIdChanged tells the next ones.
  NodeId relay() const;

  // Letters, whole, for all. False, and nothing was taken: there is no room. There is again when
  // some that was appended has come back. Several that are appended at once stay together, and are
  // counted by `appends`. Precondition: at most kMaxAppend bytes.
  bool append(std::string_view bytes, std::uint64_t appends = 1);
  bool has_room() const;

  // Replaces the content of `events` by all that is new. fd() is readable while there is.
  void take(std::vector<ClusterEvent>& events);
  int fd() const;

  // The answer to CheckpointWanted; any thread. One that nobody waits for any more is dropped.
  void put_checkpoint(std::uint64_t number, std::string state);

  // Any thread.
  bool reachable() const;  // appends are taken by Redis, as far as is known
  bool caught_up() const;  // all that was in the log at the start has been told

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace syncrelay
