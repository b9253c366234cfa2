#include "tables.h"

#include <algorithm>
#include <chrono>
#include <string_view>
#include <utility>

#include "id_records.h"

namespace syncrelay {
namespace {

std::uint64_t microseconds(Duration duration) {
  return static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::microseconds>(duration).count());
}

}  // namespace

int Tables::prepare() {
  const std::pair<const char*, Statement*> statements[] = {
      {"BEGIN IMMEDIATE", &sql_.begin},
      {"COMMIT", &sql_.commit},
      {"ROLLBACK", &sql_.rollback},
      {"REPLACE INTO position VALUES (1, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)", &sql_.put_position},
      {"INSERT INTO state VALUES (?1, ?2, ?3) ON CONFLICT (key) DO UPDATE SET value = ?2, sum = ?3",
       &sql_.put_state},
      {"DELETE FROM state WHERE key = ?1", &sql_.delete_state},
      {"INSERT INTO events VALUES (?1, ?2, ?3, ?4)", &sql_.put_events},
      {"DELETE FROM events WHERE first = ?1", &sql_.delete_events},
      {"INSERT INTO ids VALUES (?1, ?2, ?3, ?4, ?5)", &sql_.put_ids},
      {"DELETE FROM ids WHERE batch = ?1", &sql_.delete_ids},
  };
  for (const auto& [text, statement] : statements) {
    if (const int error = database_.prepare(text, *statement); error != SQLITE_OK) return error;
  }
  return SQLITE_OK;
}

int Tables::begin() {
  next_ = position_;
  books_.begin();
  return sql_.begin.run();
}

int Tables::begin_batch(const StoreBatch& batch) {
  int error = begin();
  if (error == SQLITE_OK) error = write_state(batch);
  if (error == SQLITE_OK) error = write_events(batch);
  if (error == SQLITE_OK) error = write_ids(batch);
  if (error == SQLITE_OK) error = trim_events();
  if (error == SQLITE_OK) error = trim_ids(batch.ran);
  next_.seq = batch.last.value;
  next_.ran = std::max(next_.ran, microseconds(batch.ran));
  ++next_.commits;
  return error == SQLITE_OK ? put_next() : error;
}

int Tables::begin_void() {
  const int error = begin();
  ++next_.commits;
  return error == SQLITE_OK ? put_next() : error;
}

int Tables::begin_position() {
  const int error = begin();
  return error == SQLITE_OK ? put_next() : error;
}

void Tables::keep() {
  books_.keep();
  position_ = std::move(next_);
}

void Tables::take_back() {
  sql_.rollback.run();
  books_.undo();
}

int Tables::put_next() {
  next_.state_sum = books_.totals().state_sum;
  next_.events_sum = books_.totals().events_sum;
  next_.ids_sum = books_.totals().ids_sum;
  return sql_.put_position.bind(1, next_.epoch)
      .bind(2, next_.seq)
      .bind(3, next_.commits)
      .bind(4, next_.ran)
      .bind(5, next_.state_sum)
      .bind(6, next_.events_sum)
      .bind(7, next_.ids_sum)
      .bind(8, next_.row_sum())
      .run();
}

int Tables::write_state(const StoreBatch& batch) {
  for (const StoredChange& stored : batch.changes) {
    const StateChange* change = stored.change;
    int error = SQLITE_OK;
    if (change->value) {
      const std::uint64_t sum = state_row_sum(change->key, *change->value);
      books_.put_state(change->key, sum);
      error = sql_.put_state.bind(1, change->key).bind(2, *change->value).bind(3, sum).run();
    } else {
      books_.remove_state(change->key);
      error = sql_.delete_state.bind(1, change->key).run();
    }
    if (error != SQLITE_OK) return error;
  }
  return SQLITE_OK;
}

int Tables::write_events(const StoreBatch& batch) {
  if (batch.events.empty()) return SQLITE_OK;
  wire_.clear();
  for (const StoredEvent& event : batch.events) wire_ += as_text(event.wire);
  const std::uint64_t first = batch.first_event;
  const EventsRow row{first, batch.events.size(), wire_.size(),
                      events_row_sum(first, batch.events.size(), wire_)};
  books_.add(row);
  return sql_.put_events.bind(1, row.first)
      .bind(2, row.count)
      .bind(3, wire_)
      .bind(4, row.sum)
      .run();
}

int Tables::write_ids(const StoreBatch& batch) {
  if (batch.ids.empty()) return SQLITE_OK;
  const std::string records = encode_ids(batch.ids);
  IdsRow row{books_.next_batch(), microseconds(batch.ids.back().accepted), batch.ids.size(), 0};
  row.sum = ids_row_sum(row.batch, row.accepted, row.count, records);
  books_.add(row);
  return sql_.put_ids.bind(1, row.batch)
      .bind(2, row.accepted)
      .bind(3, row.count)
      .bind(4, records)
      .bind(5, row.sum)
      .run();
}

// These delete the oldest rows that the windows do not need; the newest row of each table stays.
int Tables::trim_events() {
  while (const EventsRow* row = books_.oldest_events()) {
    if (books_.totals().events - row->count < windows_.log_events &&
        books_.totals().event_bytes - row->bytes < windows_.log_bytes)
      break;
    if (const int error = sql_.delete_events.bind(1, row->first).run(); error != SQLITE_OK)
      return error;
    books_.trim_events();
  }
  return SQLITE_OK;
}

int Tables::trim_ids(Duration now) {
  const std::uint64_t age = microseconds(windows_.id_age);
  while (const IdsRow* row = books_.oldest_ids()) {
    if (books_.totals().ids - row->count < windows_.ids && row->accepted + age >= microseconds(now))
      break;
    if (const int error = sql_.delete_ids.bind(1, row->batch).run(); error != SQLITE_OK)
      return error;
    books_.trim_ids();
  }
  return SQLITE_OK;
}

}  // namespace syncrelay
