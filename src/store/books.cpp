#include "books.h"

namespace syncrelay {

void Books::add(const EventsRow& row) {
  events_.add(row);
  totals_.events += row.count;
  totals_.event_bytes += row.bytes;
  turn(Table::events, row.sum);
}

void Books::add(Table table, const IdsRow& row) {
  rows(table).add(row);
  count_of(table) += row.count;
  turn(table, row.sum);
}

void Books::trim_events() {
  const EventsRow& row = events_.trim();
  totals_.events -= row.count;
  totals_.event_bytes -= row.bytes;
  turn(Table::events, row.sum);
}

void Books::trim(Table table) {
  const IdsRow& row = rows(table).trim();
  count_of(table) -= row.count;
  turn(table, row.sum);
}

void Books::begin() {
  before_ = totals_;
  events_.begin();
  ids_.begin();
  refs_.begin();
}

void Books::keep() {
  events_.keep();
  ids_.keep();
  refs_.keep();
}

void Books::undo() {
  totals_ = before_;
  events_.undo();
  ids_.undo();
  refs_.undo();
}

}  // namespace syncrelay
