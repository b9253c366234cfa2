#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>

#include "row_sum.h"

namespace syncrelay {

// A row of `events` or `ids`: what has to be known to delete it in time.
struct EventsRow {
  std::uint64_t first;
  std::uint64_t count;
  std::uint64_t bytes;
  std::uint64_t sum;
};
struct IdsRow {
  std::uint64_t batch;
  std::uint64_t accepted;
  std::uint64_t count;
  std::uint64_t sum;
};

// What lies in the tables, without the contents: of `events` and `ids` each row, so that a commit
// need not read what it deletes; of the others nothing but the sum of all rows, so that a key costs
// no memory here. Goes with a transaction: begin(), changes, then keep() or undo(). Relay thread
// only.
class Books {
 public:
  struct Totals {
    std::uint64_t events = 0;
    std::uint64_t event_bytes = 0;
    std::uint64_t ids = 0;
    TableSums sums{};
  };
  const Totals& totals() const { return totals_; }

  void add(const EventsRow& row);
  void add(const IdsRow& row);

  // A row with this sum came, or went.
  void turn(Table table, std::uint64_t sum) { sum_of(table) ^= sum; }
  // All rows of the table went.
  void clear(Table table) { sum_of(table) = 0; }

  // The oldest row; null when the table has no other, which stays in any case.
  const EventsRow* oldest_events() const;
  const IdsRow* oldest_ids() const;
  // Precondition: the oldest is not null.
  void trim_events();
  void trim_ids();

  std::uint64_t next_batch() const { return ids_.empty() ? 1 : ids_.back().batch + 1; }

  void begin();
  void keep();
  void undo();

 private:
  std::uint64_t& sum_of(Table table) { return totals_.sums[static_cast<std::size_t>(table)]; }

  std::deque<EventsRow> events_;  // what is trimmed goes at keep()
  std::deque<IdsRow> ids_;
  Totals totals_;

  Totals before_;  // as at begin()
  std::size_t events_before_ = 0;
  std::size_t ids_before_ = 0;
  std::size_t trimmed_events_ = 0;
  std::size_t trimmed_ids_ = 0;
};

}  // namespace syncrelay
