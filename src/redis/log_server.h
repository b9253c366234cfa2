#pragma once

#include <deque>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "redis/dialer.h"
#include "redis/log_entry.h"
#include "redis/scripts.h"

namespace syncrelay {

// How things are, by the script `survey`.
struct Survey {
  enum class Course : std::uint8_t { replica, doubt, settled };
  enum class Hold : std::uint8_t { none, held, trimmed, lost };
  static constexpr int kLate = 6;  // a minute, where one that is silent for 10 s is gone
  enum class Standing : std::uint8_t { unknown, registered, gone };

  Course course = Course::doubt;
  Hold hold = Hold::none;
  Standing standing = Standing::unknown;
  std::uint64_t last_batch = 0;  // of this relay, where it is gone
  std::uint64_t others = 0;      // relays that have given a sign of life
  std::uint64_t late = 0;        // the same within kLate times as long
  std::string replid;            // of the server's history, as it calls it
  std::string epoch;             // empty: no cluster was ever founded here
  std::uint64_t generation = 0;
  std::uint64_t n = 0;  // of the last entry
  std::string settings;
  std::vector<CheckpointRecord> checkpoints;  // the older one first
  WallTime now;
  bool whole = false;    // nothing of the log is missing
  std::string eviction;  // the server's policy; empty: it says nothing of it
};

// The Redis in which the log lies: a connection, and in words what a ClusterLog asks of it. One
// thread. An answer that makes no sense is a broken connection.
class LogServer {
 public:
  template <typename T>
  using Answer = Result<T, RedisError>;
  using Word = Answer<std::string>;  // what the script returns, see scripts.cpp

  // Without any byte of an answer; and longer for what was sent and may be on its way yet, behind
  // what the system has taken already: a slow link is no broken one.
  static constexpr Duration kPatience = std::chrono::seconds(3);
  static constexpr Duration kPatiencePerMiB = std::chrono::seconds(1);
  static constexpr std::size_t kEntriesAtOnce = 64;  // of any size
  static constexpr std::size_t kMostAtOnce = 256;    // of small ones
  static constexpr std::size_t kPartBytes =
      2 << 20;  // of a checkpoint: between them there is time for signs of life
  static constexpr int kPartSeconds = 600;  // the life of a part of what is not recorded

  static Answer<LogServer> open(const Dialer& dialer, const LogKeys& keys, const Wake& interrupt);

  Answer<Survey> survey(NodeId relay, const Position& position, Duration silent);
  Word enter(std::string_view epoch, NodeId relay, std::uint64_t batch);
  Word look(std::string_view epoch);
  Word leave(std::string_view epoch, NodeId relay);
  Word turn(std::string_view epoch, NodeId relay, std::uint64_t n, std::uint64_t every);
  Word record(std::string_view epoch, NodeId relay, const CheckpointRecord& record);
  Word doubt(std::string_view epoch, std::string_view why);

  struct Beat {
    std::string word;
    std::uint64_t newest = 0;  // n of the newest checkpoint
    std::vector<NodeId> others;
  };
  Answer<Beat> beat(std::string_view epoch, NodeId relay, Duration silent, Duration pause);

  struct Bid {
    NodeId relay;
    const Position& position;
    bool same_settings;
    Duration wait;
    Duration live;
    const std::string& epoch;  // under which it has read up to there
    const std::vector<NodeId>& known;
  };
  Word bid(const Bid& bid);

  struct Founding {
    NodeId relay;
    std::string epoch;
    std::uint64_t generation;
    const Position& position;  // of the founder
    const std::string& settings;
    const CheckpointRecord& checkpoint;
    const Ledger& ledger;
  };
  Word found(const Founding& founding);

  // Many may be outstanding; appended() takes their answers in order, see RedisConnection::receive.
  void append(std::string_view epoch, NodeId relay, std::uint64_t batch, std::string_view data);
  Word appended();

  // Asks for what comes behind `id`, at most so many entries, waiting for up to `block` (zero: not
  // at all) for the first. The answer is taken by RedisConnection::receive.
  void read_behind(EntryId id, std::size_t entries, Duration block);
  RedisConnection::Answer entries(Duration block) { return connection_.receive(block + kPatience); }

  // Writes a checkpoint; `between` is called between the parts, and ends the writing by returning
  // false. The name, parts, bytes and sum of what was written.
  Answer<CheckpointRecord> put(std::string_view bytes, const std::function<bool()>& between);
  // Refused: it is not whole. Any other error is a broken connection.
  Answer<std::string> get(const CheckpointRecord& record);

 private:
  LogServer(RedisConnection connection, const LogKeys& keys)
      : connection_(std::move(connection)), keys_(&keys) {}

  using Words = std::vector<std::string_view>;
  Answer<RedisReply> run(Script script, const Words& arguments, const Words& more_keys = {});
  Word word(Script script, const Words& arguments, const Words& more_keys = {});
  Words command(Script script, const Words& arguments, const Words& more_keys) const;
  Answer<void> load();
  std::vector<std::string> parts_of(const CheckpointRecord& record) const;

  RedisConnection connection_;
  std::deque<std::size_t> unanswered_;  // bytes of each append without an answer
  std::size_t unanswered_bytes_ = 0;    // of all of them
  const LogKeys* keys_;
  std::array<std::string, kScripts> sums_;  // by which Redis knows the scripts
};

}  // namespace syncrelay
