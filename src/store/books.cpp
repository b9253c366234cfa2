#include "books.h"

namespace syncrelay {

void Books::add(const EventsRow& row) {
  events_.push_back(row);
  totals_.events += row.count;
  totals_.event_bytes += row.bytes;
  turn(Table::events, row.sum);
}

void Books::add(const IdsRow& row) {
  ids_.push_back(row);
  totals_.ids += row.count;
  turn(Table::ids, row.sum);
}

const EventsRow* Books::oldest_events() const {
  return trimmed_events_ + 1 < events_.size() ? &events_[trimmed_events_] : nullptr;
}

const IdsRow* Books::oldest_ids() const {
  return trimmed_ids_ + 1 < ids_.size() ? &ids_[trimmed_ids_] : nullptr;
}

void Books::trim_events() {
  const EventsRow& row = events_[trimmed_events_++];
  totals_.events -= row.count;
  totals_.event_bytes -= row.bytes;
  turn(Table::events, row.sum);
}

void Books::trim_ids() {
  const IdsRow& row = ids_[trimmed_ids_++];
  totals_.ids -= row.count;
  turn(Table::ids, row.sum);
}

void Books::begin() {
  before_ = totals_;
  events_before_ = events_.size();
  ids_before_ = ids_.size();
  trimmed_events_ = 0;
  trimmed_ids_ = 0;
}

void Books::keep() {
  for (; trimmed_events_ > 0; --trimmed_events_) events_.pop_front();
  for (; trimmed_ids_ > 0; --trimmed_ids_) ids_.pop_front();
}

void Books::undo() {
  totals_ = before_;
  trimmed_events_ = 0;
  trimmed_ids_ = 0;
  events_.resize(events_before_);
  ids_.resize(ids_before_);
}

}  // namespace syncrelay
