#include "tables.h"

#include <algorithm>
#include <chrono>
#include <string_view>
#include <utility>

#include "columns.h"
#include "event_runs.h"
#include "id_records.h"

namespace syncrelay {
namespace {

std::uint64_t microseconds(Duration duration) {
  return static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::microseconds>(duration).count());
}

}  // namespace

// What is replaced or deleted says its sum, so that the books go without the rows.
int Tables::prepare() {
  if (const int error = database_.define_replaced(replaced_); error != SQLITE_OK) return error;
  const std::pair<const char*, Statement*> statements[] = {
      {"BEGIN IMMEDIATE", &sql_.begin},
      {"COMMIT", &sql_.commit},
      {"ROLLBACK", &sql_.rollback},
      {"REPLACE INTO position VALUES (1, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
       &sql_.put_position},
      {"UPDATE state SET sum = replaced(sum, ?3), version = ?4, expiry = ?5, value = ?6 "
       "WHERE channel = ?1 AND key = ?2",
       &sql_.update_state},
      {"INSERT INTO state VALUES (?1, ?2, ?3, ?4, ?5, ?6)", &sql_.insert_state},
      {"DELETE FROM state WHERE channel = ?1 AND key = ?2 RETURNING sum", &sql_.delete_state},
      {"DELETE FROM state WHERE channel = ?1 RETURNING sum", &sql_.delete_states},
      {"INSERT INTO members VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (channel, id) DO "
       "UPDATE SET sum = replaced(sum, ?3), value = ?4, will = ?5",
       &sql_.put_member},
      {"DELETE FROM members WHERE channel = ?1 AND id = ?2 RETURNING sum", &sql_.delete_member},
      {"DELETE FROM members WHERE channel = ?1 RETURNING sum", &sql_.delete_members},
      {"INSERT INTO channels VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (name) DO "
       "UPDATE SET start = ?2, last = ?3, generation = ?4, sum = replaced(sum, ?5)",
       &sql_.put_channel},
      {"DELETE FROM channels WHERE name = ?1 RETURNING sum", &sql_.delete_channel},
      {"INSERT INTO tombstones VALUES (?1, ?2, ?3) ON CONFLICT (hash) DO "
       "UPDATE SET last = ?2, sum = replaced(sum, ?3)",
       &sql_.put_tombstone},
      {"DELETE FROM tombstones", &sql_.delete_tombstones},
      {"INSERT INTO events VALUES (?1, ?2, ?3, ?4, ?5)", &sql_.put_events},
      {"DELETE FROM events WHERE first = ?1", &sql_.delete_events},
      {"INSERT INTO ids VALUES (?1, ?2, ?3, ?4, ?5)", &sql_.put_ids},
      {"DELETE FROM ids WHERE batch = ?1", &sql_.delete_ids},
      {"INSERT INTO inbox VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)", &sql_.put_message},
      {"DELETE FROM inbox WHERE n = ?1 RETURNING sum", &sql_.delete_message},
      {"INSERT INTO refs VALUES (?1, ?2, ?3, ?4, ?5)", &sql_.put_refs},
      {"DELETE FROM refs WHERE batch = ?1", &sql_.delete_refs},
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
  if (error == SQLITE_OK) error = write_members(batch);
  if (error == SQLITE_OK) error = write_channels(batch);
  if (error == SQLITE_OK) error = write_tombstones(batch);
  if (error == SQLITE_OK) error = write_events(batch);
  if (error == SQLITE_OK) error = write_ids(Table::ids, sql_.put_ids, batch.ids);
  if (error == SQLITE_OK) error = write_inbox(batch.inbox);
  if (error == SQLITE_OK) error = trim_events();
  if (error == SQLITE_OK) error = trim_ids(Table::ids, sql_.delete_ids, batch.ran);
  if (error == SQLITE_OK) error = trim_ids(Table::refs, sql_.delete_refs, batch.ran);
  next_.seq = batch.last.value;
  next_.ran = std::max(next_.ran, microseconds(batch.ran));
  next_.version = batch.version;
  next_.generation = batch.generation;
  next_.next_message = std::max(next_.next_message, batch.inbox.next);
  next_.received = next_.received || batch.inbox.received;
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
  next_.sums = books_.totals().sums;
  const std::string channels = encode_channels(next_);
  const std::string inbox = encode_inbox(next_);
  return sql_.put_position.bind(1, next_.epoch)
      .bind(2, next_.seq)
      .bind(3, next_.commits)
      .bind(4, next_.ran)
      .bind(5, next_.events)
      .bind(6, next_.version)
      .bind(7, channels)
      .bind(8, next_.sum_of(Table::state))
      .bind(9, next_.sum_of(Table::events))
      .bind(10, next_.sum_of(Table::ids))
      .bind(11, next_.sum_of(Table::members))
      .bind(12, next_.row_sum(channels, inbox))
      .bind(13, inbox)
      .run();
}

// A row that is new, or takes the place of an older one.
int Tables::put(Table table, Statement& statement, std::uint64_t sum) {
  replaced_ = 0;
  const int error = statement.run();
  books_.turn(table, sum ^ replaced_);
  return error;
}

int Tables::remove(Table table, Statement& statement) {
  int result = SQLITE_OK;
  while ((result = statement.step()) == SQLITE_ROW) books_.turn(table, statement.number(0));
  statement.reset();
  return result == SQLITE_DONE ? SQLITE_OK : result;
}

int Tables::write_state(const StoreBatch& batch) {
  for (const StoredChange& stored : batch.changes) {
    const std::string_view channel = text(stored.channel);
    int error = stored.change == nullptr ? remove(Table::state, sql_.delete_states.bind(1, channel))
                                         : write_change(channel, *stored.change, stored.expiry);
    if (error == SQLITE_OK && stored.change == nullptr)
      error = remove(Table::members, sql_.delete_members.bind(1, channel));
    if (error != SQLITE_OK) return error;
  }
  return SQLITE_OK;
}

// SQLite takes longer to find out in one statement whether the key is there; mostly it is.
int Tables::write_change(std::string_view channel, const StateChange& change,
                         const std::optional<Expiry>& expiry) {
  if (!change.value)
    return remove(Table::state, sql_.delete_state.bind(1, channel).bind(2, change.key));
  const std::string expires = encode_expiry(expiry);
  const std::uint64_t sum =
      state_row_sum(channel, change.key, change.version, expires, *change.value);
  const auto run = [&](Statement& statement) {
    statement.bind(1, channel).bind(2, change.key).bind(3, sum);
    return statement.bind(4, change.version).bind(5, expires).bind(6, *change.value).run();
  };
  replaced_ = 0;
  int error = run(sql_.update_state);
  if (error == SQLITE_OK && database_.changed_rows() == 0) error = run(sql_.insert_state);
  books_.turn(Table::state, sum ^ replaced_);
  return error;
}

int Tables::write_members(const StoreBatch& batch) {
  for (const StoredMember& member : batch.members) {
    int error = SQLITE_OK;
    if (!member.value) {
      error = remove(Table::members, sql_.delete_member.bind(1, member.channel).bind(2, member.id));
    } else {
      const std::string_view will = member.will ? std::string_view(*member.will) : "";
      const std::uint64_t sum = members_row_sum(member.channel, member.id, *member.value, will);
      sql_.put_member.bind(1, member.channel).bind(2, member.id).bind(3, sum);
      error = put(Table::members, sql_.put_member.bind(4, *member.value).bind(5, will), sum);
    }
    if (error != SQLITE_OK) return error;
  }
  return SQLITE_OK;
}

int Tables::write_channels(const StoreBatch& batch) {
  for (const StoredChannel& channel : batch.channels) {
    const std::uint64_t sum =
        channels_row_sum(channel.name, channel.start.value, channel.last.value, channel.generation);
    sql_.put_channel.bind(1, channel.name).bind(2, channel.start.value);
    sql_.put_channel.bind(3, channel.last.value).bind(4, channel.generation).bind(5, sum);
    if (const int error = put(Table::channels, sql_.put_channel, sum); error != SQLITE_OK)
      return error;
  }
  for (const std::string& name : batch.gone) {
    const int error = remove(Table::channels, sql_.delete_channel.bind(1, name));
    if (error != SQLITE_OK) return error;
  }
  return SQLITE_OK;
}

int Tables::write_tombstones(const StoreBatch& batch) {
  if (batch.generation != position_.generation) {
    if (const int error = sql_.delete_tombstones.run(); error != SQLITE_OK) return error;
    books_.clear(Table::tombstones);
  }
  for (const auto& [hash, last] : batch.tombstones) {
    const std::uint64_t sum = tombstones_row_sum(hash, last.value);
    sql_.put_tombstone.bind(1, hash).bind(2, last.value).bind(3, sum);
    if (const int error = put(Table::tombstones, sql_.put_tombstone, sum); error != SQLITE_OK)
      return error;
  }
  return SQLITE_OK;
}

int Tables::write_events(const StoreBatch& batch) {
  if (batch.events.empty()) return SQLITE_OK;
  wire_.clear();
  for (const StoredEvent& event : batch.events) wire_ += as_text(event.wire);
  const std::string runs = encode_runs(batch.events, batch.first_event);
  EventsRow row{batch.first_event, batch.events.size(), wire_.size(), 0};
  row.sum = events_row_sum(row.first, row.count, runs, wire_);
  books_.add(row);
  next_.events = row.first + row.count - 1;
  sql_.put_events.bind(1, row.first).bind(2, row.count).bind(3, runs).bind(4, wire_);
  return sql_.put_events.bind(5, row.sum).run();
}

int Tables::write_ids(Table table, Statement& statement, std::span<const IdRecord> ids) {
  if (ids.empty()) return SQLITE_OK;
  const std::string records = encode_ids(ids);
  IdsRow row{books_.next_batch(table), microseconds(ids.back().accepted), ids.size(), 0};
  row.sum = ids_row_sum(row.batch, row.accepted, row.count, records);
  books_.add(table, row);
  return statement.bind(1, row.batch)
      .bind(2, row.accepted)
      .bind(3, row.count)
      .bind(4, records)
      .bind(5, row.sum)
      .run();
}

int Tables::write_inbox(const InboxChanges& inbox) {
  for (const InboxMessage& message : inbox.said) {
    const auto ts = static_cast<std::uint64_t>(message.ts.microseconds);
    const std::uint64_t sum = inbox_row_sum(message.n, message.connection, ts, message.sender,
                                            message.channel, message.text);
    sql_.put_message.bind(1, message.n).bind(2, message.connection).bind(3, ts);
    sql_.put_message.bind(4, message.sender).bind(5, message.channel).bind(6, message.text);
    if (const int error = put(Table::inbox, sql_.put_message.bind(7, sum), sum); error != SQLITE_OK)
      return error;
  }
  for (const std::uint64_t n : inbox.done) {
    const int error = remove(Table::inbox, sql_.delete_message.bind(1, n));
    if (error != SQLITE_OK) return error;
  }
  return write_ids(Table::refs, sql_.put_refs, inbox.refs);
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

int Tables::trim_ids(Table table, Statement& statement, Duration now) {
  const std::uint64_t age = microseconds(windows_.id_age);
  while (const IdsRow* row = books_.oldest(table)) {
    if (books_.count(table) - row->count < windows_.ids && row->accepted + age >= microseconds(now))
      break;
    if (const int error = statement.bind(1, row->batch).run(); error != SQLITE_OK) return error;
    books_.trim(table);
  }
  return SQLITE_OK;
}

}  // namespace syncrelay
