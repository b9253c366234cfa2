#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>

#include "row_sum.h"

namespace syncrelay {

// A row of `events`, or of `ids` or `refs`: what has to be known to delete it in time.
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

// The rows of a table whose oldest go in time, as far as a transaction goes: begin(), changes, then
// keep() or undo().
template <typename Row>
class RowQueue {
 public:
  void add(const Row& row) { rows_.push_back(row); }
  bool empty() const { return rows_.empty(); }
  const Row& newest() const { return rows_.back(); }  // precondition: not empty
  // Null when the table has no other, which stays in any case.
  const Row* oldest() const { return trimmed_ + 1 < rows_.size() ? &rows_[trimmed_] : nullptr; }
  // Precondition: the oldest is not null.
  const Row& trim() { return rows_[trimmed_++]; }

  void begin() {
    before_ = rows_.size();
    trimmed_ = 0;
  }
  void keep() {
    for (; trimmed_ > 0; --trimmed_) rows_.pop_front();
  }
  void undo() {
    trimmed_ = 0;
    rows_.resize(before_);
  }

 private:
  std::deque<Row> rows_;  // what is trimmed goes at keep()
  std::size_t before_ = 0;
  std::size_t trimmed_ = 0;
};

// What lies in the tables, without the contents: of `events`, `ids` and `refs` each row, so that a
// commit need not read what it deletes; of the others nothing but the sum of all rows, so that a
// key costs no memory here. Goes with a transaction: begin(), changes, then keep() or undo(). Relay
// thread only.
class Books {
 public:
  struct Totals {
    std::uint64_t events = 0;
    std::uint64_t event_bytes = 0;
    std::uint64_t ids = 0;
    std::uint64_t refs = 0;
    TableSums sums{};
  };
  const Totals& totals() const { return totals_; }

  void add(const EventsRow& row);
  // `table`: ids or refs, here and below.
  void add(Table table, const IdsRow& row);

  // A row with this sum came, or went.
  void turn(Table table, std::uint64_t sum) { sum_of(table) ^= sum; }
  // All rows of the table went.
  void clear(Table table) { sum_of(table) = 0; }

  // The oldest row; null when the table has no other, which stays in any case.
  const EventsRow* oldest_events() const { return events_.oldest(); }
  const IdsRow* oldest(Table table) const { return rows(table).oldest(); }
  std::uint64_t count(Table table) const {
    return table == Table::ids ? totals_.ids : totals_.refs;
  }
  // Precondition: the oldest is not null.
  void trim_events();
  void trim(Table table);

  std::uint64_t next_batch(Table table) const {
    return rows(table).empty() ? 1 : rows(table).newest().batch + 1;
  }

  void begin();
  void keep();
  void undo();

 private:
  std::uint64_t& sum_of(Table table) { return totals_.sums[static_cast<std::size_t>(table)]; }
  const RowQueue<IdsRow>& rows(Table table) const { return table == Table::ids ? ids_ : refs_; }
  RowQueue<IdsRow>& rows(Table table) { return table == Table::ids ? ids_ : refs_; }
  std::uint64_t& count_of(Table table) { return table == Table::ids ? totals_.ids : totals_.refs; }

  RowQueue<EventsRow> events_;
  RowQueue<IdsRow> ids_;
  RowQueue<IdsRow> refs_;
  Totals totals_;
  Totals before_;  // as at begin()
};

}  // namespace syncrelay
