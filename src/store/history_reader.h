#pragma once

#include <optional>
#include <string>

#include "books.h"
#include "database.h"
#include "row_sum.h"
#include "syncrelay/base/result.h"
#include "syncrelay/relay/store.h"

namespace syncrelay {

// Reads a whole database and takes nothing on trust: every row by its sum, every value as JSON,
// every event as a whole message, the log as one run that ends at the position, and each table by
// the sum of its rows. What is wrong is named; nothing of a damaged database is served, since what
// is damaged besides cannot be told. Used once, at the start.
class HistoryReader {
 public:
  HistoryReader(Database& database, Books& books) : database_(database), books_(books) {}

  // What was read; nullopt when there is nothing yet. The error names what is damaged, or what
  // SQLite says.
  Result<std::optional<Position>, std::string> read(StoredHistory& history);

 private:
  bool read_position(std::optional<Position>& position);
  bool read_state(StoredHistory& history);
  bool read_events(StoredHistory& history);
  bool read_ids(StoredHistory& history);
  bool check_totals(const Position& position, const StoredHistory& history);
  bool damaged(const std::string& what);
  bool ended(int result);

  Database& database_;
  Books& books_;
  std::string fault_;
};

}  // namespace syncrelay
