#pragma once

#include <optional>
#include <string>
#include <vector>

#include "books.h"
#include "database.h"
#include "event_runs.h"
#include "row_sum.h"
#include "syncrelay/base/result.h"
#include "syncrelay/relay/store.h"

namespace syncrelay {

// Reads a whole database and takes nothing on trust: every row by its sum, every value as JSON,
// every event as a whole message, the log as one run, of each channel's events, too, and each table
// by the sum of its rows. What is wrong is named; nothing of a damaged database is served, since
// what is damaged besides cannot be told. Used once, at the start.
class HistoryReader {
 public:
  HistoryReader(Database& database, Books& books) : database_(database), books_(books) {}

  // What was read; nullopt when there is nothing yet. The error names what is damaged, or what
  // SQLite says.
  Result<std::optional<Position>, std::string> read(StoredHistory& history);

 private:
  bool read_position(std::optional<Position>& position);
  bool read_state(StoredHistory& history);
  bool read_value(const Statement& row, StoredHistory& history);
  bool read_members(StoredHistory& history);
  bool read_member(const Statement& row, StoredHistory& history);
  bool read_channels(StoredHistory& history);
  bool read_tombstones(Tombstones::ByHash& tombstones);
  bool read_events(StoredHistory& history);
  bool read_event_row(const Statement& row, StoredHistory& history);
  bool read_ids(Table table, std::vector<IdRecord>& ids);
  bool read_inbox(const std::optional<Position>& position, StoredInbox& inbox);
  bool check_totals(const std::optional<Position>& position);
  bool check_channels(const Position& position, StoredHistory& history);
  bool damaged(const std::string& what);
  // Calls `take` for each row of the query, until it is false.
  template <typename Take>
  bool for_each_row(const char* select, Take take);

  Database& database_;
  Books& books_;
  ChannelNames names_;
  std::uint64_t next_event_ = 0;  // by its number; 0: none has been read
  std::string fault_;
};

}  // namespace syncrelay
