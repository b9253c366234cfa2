#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "redis/log_server.h"
#include "redis/log_shared.h"

namespace syncrelay {

// Reads the log and tells the user what is in it; finds out, whenever it has connected, how what it
// has read stands to what Redis has, and settles with the others what to do when that is in doubt.
// A thread of its own.
class Reader {
 public:
  explicit Reader(LogShared& shared) : shared_(shared), relay_(shared.first_relay) {}

  void run();  // until the log stops, or the relay cannot take part

 private:
  // What comes after a step: another look at how things are, another connection, or nothing.
  enum class Next : std::uint8_t { survey, connect, end };
  // What became of an entry that was read.
  enum class Taken : std::uint8_t { told, foreign, unreadable };

  static constexpr Duration kPause = std::chrono::milliseconds(200);         // between connections
  static constexpr Duration kBlock = std::chrono::seconds(1);                // of one XREAD
  static constexpr Duration kFirstComplaintPause = std::chrono::seconds(5);  // then twice as long,
  static constexpr Duration kComplaintPause = std::chrono::minutes(5);       // up to this
  static constexpr std::uint64_t kMuchAtOnce = 1 << 20;                      // bytes of one answer
  static constexpr int kSwiftSteps = 5;  // then there is a pause between them
  static constexpr Duration kRebid = std::chrono::milliseconds(100);
  static constexpr Duration kBidLife = std::chrono::milliseconds(1500);
  static constexpr Duration kStatePatience = std::chrono::seconds(30);  // with the user

  Next attend();
  Next step();

  // A history that is agreed upon.
  Next follow(const Survey& survey);
  bool is_near(const Survey& survey) const;
  Next approach(const Survey& survey);
  Next enter(const Survey& survey);
  void aim(const Survey& survey);
  Next leave(const Survey& survey);
  Next leave_old_id();
  void rename(std::uint64_t own_appends);

  // One that is in doubt.
  Next settle(const Survey& survey);
  bool is_further(const Survey& survey) const;
  Next prepare_bid(const Survey& survey);
  LogServer::Word bid(const Survey& survey);
  Next found(const Survey& survey, std::string_view why);
  std::optional<std::string> state_for_founding(const Survey& survey);
  bool is_chosen(const Survey& survey);
  void tell_founding(std::string_view why);

  // Reading.
  Next load(const Survey& survey, const std::string& epoch);
  void take_over(const CheckpointRecord& record, const std::string& epoch,
                 UnpackedCheckpoint checkpoint);
  Next read_on();
  Next read_to_end();
  Next take_all(RedisValue entries);
  Taken take(const LogEntry& entry);
  void tell_letters(const LogEntry& entry);
  Taken tell_gone(const LogEntry& entry);
  Taken tell_founded(const LogEntry& entry);
  void look_whether_caught_up();
  void look_whether_whole(const RedisValue& streams);
  Next ask_for_checkpoint_if_due();

  void fit_at_once(std::size_t entries, std::uint64_t bytes);
  void warn_of_eviction(const Survey& survey);

  bool is_refused(const Survey& survey) const;
  bool has_same_options(const Survey& survey) const;
  Next demand_new_epoch(const Survey& survey, std::string_view why);
  Next lost(const RedisError& error);
  Next fail(std::string why);
  void tell(ClusterEvent event);

  LogShared& shared_;
  std::optional<LogServer> server_;
  NodeId relay_;
  std::optional<NodeId> entered_;  // the id under which it has entered last
  Position position_;
  // Where this relay has read, or has bid, last. Under its epoch it reads on nowhere else, unless
  // it bids there: with its bid the epoch may go on at that place, and only there.
  std::string pledged_;
  Ledger ledger_;
  std::string epoch_;  // under which the user is; empty: it has been told nothing

  struct Founding {
    std::string epoch;
    std::uint64_t n;  // the founder's position: what comes next is its entry
  };
  std::optional<Founding> founding_;   // this relay may have founded that
  std::optional<std::uint64_t> gap_;   // behind this entry another one was expected
  std::optional<std::uint64_t> goal_;  // n of the last entry that was there at the start, and is
  std::uint64_t newest_ = 0;           // checkpoint, as of which the next two count
  std::uint64_t bytes_ = 0;            // of entries since it
  std::uint64_t next_turn_ = 0;        // n from which to ask again
  std::uint64_t next_turn_bytes_ = 0;  // the same by bytes_: whichever comes first
  WallTime begun_{};                   // by the server's clock, when goal_ was set
  std::size_t at_once_ = LogServer::kEntriesAtOnce;  // entries that are asked for
  std::string complaint_;                            // that was logged last
  std::string eviction_;                             // of which was warned last
  TimePoint lost_at_{};                              // since when there is one
  TimePoint next_complaint_{};
  Duration complaint_pause_{};
};

}  // namespace syncrelay
