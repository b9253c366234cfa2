#pragma once

#include <array>
#include <atomic>
#include <string_view>

#include "syncrelay/base/counter.h"
#include "syncrelay/metrics/cluster_lag.h"

namespace syncrelay {

// What became of a checkpoint that it was this relay's turn to write.
enum class CheckpointOutcome : std::uint8_t {
  written,
  late,    // there was a newer one by then, or the epoch had ended
  failed,  // Redis could not be reached, or has lost a part of it
};
inline constexpr std::array<std::string_view, 3> kCheckpointOutcomeNames = {"written", "late",
                                                                            "failed"};

// Why this relay has founded an epoch, by what lies in Redis.
enum class FoundingCause : std::uint8_t {
  empty,      // there was none: it is the first, or Redis was emptied
  demanded,   // a relay found that the log is damaged, or not the one that it has read
  lost,       // a relay has read what is not there any more
  strangers,  // no relay was there that has read the log
  missing,    // a relay was not back in time
};
inline constexpr std::array<std::string_view, 5> kFoundingCauseNames = {"empty", "demanded", "lost",
                                                                        "strangers", "missing"};

// A relay of a cluster, its Redis and their log; of the whole process, whatever epochs come and go.
// Each number has one writing thread at a time, and any thread reads it.
struct ClusterStats {
  // Written by the thread that reads the log.
  std::atomic<bool> settled{false};  // it has a connection, and nothing is in doubt
  Counter entries;                   // that were read
  std::array<Counter, kFoundingCauseNames.size()> founded;  // epochs

  // By the thread that appends.
  std::atomic<bool> refused{false};  // Redis did not take the last append
  Counter appends;                   // entries that it took

  // By the thread that gives signs of life.
  Counter relays;  // that have given one, this one, too; as it was heard last
  std::array<Counter, kCheckpointOutcomeNames.size()> checkpoints;

  // By the relay's thread.
  Counter letters_under_way;  // were appended, and have not come back
  Counter bytes_under_way;
  LatencyHistogram round_trip;  // of its own letters, from there until they are applied
  Counter epoch_changes;        // for which it began anew

  ClusterLag lag;

  // Appends are taken by Redis, as far as is known.
  bool reachable() const { return settled && !refused; }
};

}  // namespace syncrelay
