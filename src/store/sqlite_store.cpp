#include "syncrelay/store/sqlite_store.h"

#include <chrono>
#include <deque>
#include <string_view>
#include <utility>

#include "database.h"
#include "id_records.h"
#include "syncrelay/base/crash_point.h"
#include "syncrelay/protocol/frame.h"

namespace syncrelay {
namespace {

constexpr char kFileName[] = "/syncrelay.db";

// Version 1. `events` holds the wire bytes of a batch's events, `ids` a batch's ids.
constexpr char kSchema[] = R"(
  CREATE TABLE IF NOT EXISTS position (only INTEGER PRIMARY KEY CHECK (only = 1), epoch BLOB NOT NULL, seq INTEGER NOT NULL);
  CREATE TABLE IF NOT EXISTS state (key BLOB PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS events (first INTEGER PRIMARY KEY, count INTEGER NOT NULL, wire BLOB NOT NULL);
  CREATE TABLE IF NOT EXISTS ids (batch INTEGER PRIMARY KEY, accepted INTEGER NOT NULL, count INTEGER NOT NULL, records BLOB NOT NULL);
  PRAGMA user_version = 1;
)";

// The database belongs to this process alone, which also spares the shared-memory file. Checkpoints
// come every 16 MiB of log, so that a commit seldom waits for one.
constexpr char kPragmas[] = R"(
  PRAGMA locking_mode = EXCLUSIVE;
  PRAGMA journal_mode = WAL;
  PRAGMA wal_autocheckpoint = 4096;
  PRAGMA temp_store = MEMORY;
)";

// Whether the events form one run that ends at the position.
bool is_whole(const StoredHistory& history) {
  if (history.events.empty()) return true;
  Seq next = history.events.front().first;
  for (const StoredEvents& run : history.events) {
    if (run.first != next) return false;
    ByteSpan wire = as_bytes(run.wire);
    while (!wire.empty()) {
      const std::size_t end = message_end(wire);
      if (end == 0) return false;
      wire = wire.subspan(end);
      next = next.next();
    }
  }
  return next == history.last.next();
}

std::string_view as_text(ByteSpan bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// A row of `events` or `ids`: what has to be known to delete it in time.
struct EventsRow {
  std::uint64_t first;
  std::uint64_t count;
  std::uint64_t bytes;
};
struct IdsRow {
  std::uint64_t batch;
  std::uint64_t count;
  std::int64_t accepted;
};

}  // namespace

struct SqliteStore::Impl {
  explicit Impl(const Settings& store_settings)
      : settings(store_settings), path(settings.directory + kFileName) {}

  std::string failure(const std::string& what) const {
    return what + " " + path + ": " + database.message();
  }
  Result<void, std::string> open();
  Result<void, std::string> prepare();
  bool load_position(StoredHistory& history, const std::string& epoch_if_new);
  bool load_state(StoredHistory& history);
  bool load_events(StoredHistory& history);
  bool load_ids(StoredHistory& history);
  int write(const StoreBatch& batch);
  int write_state(const StoreBatch& batch);
  int write_events(const StoreBatch& batch);
  int write_ids(const StoreBatch& batch);
  int trim(const StoreBatch& batch);
  void begin_transaction(const StoreBatch& batch);
  void end_transaction(const StoreBatch& batch, bool kept);
  template <typename Rows, typename Row>
  void take(Rows& rows, Row row);
  void count(const EventsRow& row);
  void count(const IdsRow& row);
  void discount(const EventsRow& row);
  void discount(const IdsRow& row);

  const Settings settings;
  const std::string path;
  Database database;
  Statement begin;
  Statement commit_transaction;
  Statement rollback;
  Statement put_position;
  Statement put_state;
  Statement delete_state;
  Statement put_events;
  Statement delete_events;
  Statement put_ids;
  Statement delete_ids;
  std::deque<EventsRow> events_rows;  // as in the tables, during a transaction as they will be but
                                      // for the trimmed ones
  std::deque<IdsRow> ids_rows;
  std::uint64_t events = 0;
  std::uint64_t event_bytes = 0;
  std::uint64_t ids = 0;
  std::size_t trimmed_events = 0;  // rows at the front that this transaction deletes
  std::size_t trimmed_ids = 0;
  std::string wire;  // the batch's events; kept for its capacity
};

Result<void, std::string> SqliteStore::Impl::open() {
  if (database.open(path) != SQLITE_OK) return failure("cannot open");
  if (database.execute(kPragmas) != SQLITE_OK) return failure("cannot use");
  const char* sync =
      settings.sync == Sync::power ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL";
  if (database.execute(sync) != SQLITE_OK || database.execute(kSchema) != SQLITE_OK)
    return failure("cannot use");
  return prepare();
}

Result<void, std::string> SqliteStore::Impl::prepare() {
  const std::pair<const char*, Statement*> statements[] = {
      {"BEGIN IMMEDIATE", &begin},
      {"COMMIT", &commit_transaction},
      {"ROLLBACK", &rollback},
      {"UPDATE position SET seq = ?1", &put_position},
      {"INSERT INTO state VALUES (?1, ?2) ON CONFLICT (key) DO UPDATE SET value = ?2", &put_state},
      {"DELETE FROM state WHERE key = ?1", &delete_state},
      {"INSERT INTO events VALUES (?1, ?2, ?3)", &put_events},
      {"DELETE FROM events WHERE first = ?1", &delete_events},
      {"INSERT INTO ids VALUES (?1, ?2, ?3, ?4)", &put_ids},
      {"DELETE FROM ids WHERE batch = ?1", &delete_ids},
  };
  for (const auto& [sql, statement] : statements) {
    if (database.prepare(sql, *statement) != SQLITE_OK) return failure("cannot use");
  }
  return {};
}

bool SqliteStore::Impl::load_position(StoredHistory& history, const std::string& epoch_if_new) {
  Statement insert;
  if (database.prepare("INSERT OR IGNORE INTO position VALUES (1, ?1, 0)", insert) != SQLITE_OK)
    return false;
  if (insert.bind(1, epoch_if_new).run() != SQLITE_OK) return false;
  Statement select;
  if (database.prepare("SELECT epoch, seq FROM position", select) != SQLITE_OK ||
      select.step() != SQLITE_ROW)
    return false;
  history.epoch = select.blob(0);
  history.last = Seq{select.number(1)};
  return true;
}

bool SqliteStore::Impl::load_state(StoredHistory& history) {
  Statement select;
  if (database.prepare("SELECT key, value FROM state", select) != SQLITE_OK) return false;
  int result = SQLITE_OK;
  while ((result = select.step()) == SQLITE_ROW) {
    history.state.emplace(select.blob(0), std::make_shared<const std::string>(select.blob(1)));
  }
  return result == SQLITE_DONE;
}

bool SqliteStore::Impl::load_events(StoredHistory& history) {
  Statement select;
  if (database.prepare("SELECT first, count, wire FROM events ORDER BY first", select) != SQLITE_OK)
    return false;
  int result = SQLITE_OK;
  while ((result = select.step()) == SQLITE_ROW) {
    const EventsRow row{select.number(0), select.number(1), select.blob(2).size()};
    count(row);
    history.events.push_back({Seq{row.first}, std::string(select.blob(2))});
  }
  return result == SQLITE_DONE;
}

bool SqliteStore::Impl::load_ids(StoredHistory& history) {
  Statement select;
  if (database.prepare("SELECT batch, accepted, count, records FROM ids ORDER BY batch", select) !=
      SQLITE_OK)
    return false;
  int result = SQLITE_OK;
  while ((result = select.step()) == SQLITE_ROW) {
    const auto accepted = static_cast<std::int64_t>(select.number(1));
    count(IdsRow{select.number(0), select.number(2), accepted});
    if (!decode_ids(select.blob(3), WallTime{accepted}, history.ids)) return false;
  }
  return result == SQLITE_DONE;
}

int SqliteStore::Impl::write(const StoreBatch& batch) {
  int error = begin.run();
  if (error == SQLITE_OK) error = write_state(batch);
  if (error == SQLITE_OK) error = write_events(batch);
  if (error == SQLITE_OK) error = write_ids(batch);
  if (error == SQLITE_OK) error = trim(batch);
  crash_point("before_commit");
  return error == SQLITE_OK ? commit_transaction.run() : error;
}

int SqliteStore::Impl::write_state(const StoreBatch& batch) {
  for (const StateChange* change : batch.changes) {
    const int error = change->value ? put_state.bind(1, change->key).bind(2, *change->value).run()
                                    : delete_state.bind(1, change->key).run();
    if (error != SQLITE_OK) return error;
  }
  return SQLITE_OK;
}

int SqliteStore::Impl::write_events(const StoreBatch& batch) {
  if (batch.events.empty()) return SQLITE_OK;
  const EventsRow& row = events_rows.back();
  const int error = put_events.bind(1, row.first).bind(2, row.count).bind(3, wire).run();
  return error == SQLITE_OK ? put_position.bind(1, batch.last.value).run() : error;
}

int SqliteStore::Impl::write_ids(const StoreBatch& batch) {
  if (batch.ids.empty()) return SQLITE_OK;
  const IdsRow& row = ids_rows.back();
  const std::string records = encode_ids(batch.ids);
  const auto accepted = static_cast<std::uint64_t>(row.accepted);
  return put_ids.bind(1, row.batch).bind(2, accepted).bind(3, row.count).bind(4, records).run();
}

// Deletes the oldest rows that the windows do not need; the newest row of each table stays.
int SqliteStore::Impl::trim(const StoreBatch& batch) {
  std::uint64_t events_left = events;
  std::uint64_t bytes_left = event_bytes;
  for (; trimmed_events + 1 < events_rows.size(); ++trimmed_events) {
    const EventsRow& row = events_rows[trimmed_events];
    events_left -= row.count;
    bytes_left -= row.bytes;
    if (events_left < settings.log_events && bytes_left < settings.log_bytes) break;
    if (const int error = delete_events.bind(1, row.first).run(); error != SQLITE_OK) return error;
  }
  if (batch.ids.empty()) return SQLITE_OK;
  const std::int64_t oldest =
      batch.ids.back().accepted.microseconds -
      std::chrono::duration_cast<std::chrono::microseconds>(settings.id_age).count();
  std::uint64_t ids_left = ids;
  for (; trimmed_ids + 1 < ids_rows.size(); ++trimmed_ids) {
    const IdsRow& row = ids_rows[trimmed_ids];
    ids_left -= row.count;
    if (ids_left < settings.ids && row.accepted >= oldest) break;
    if (const int error = delete_ids.bind(1, row.batch).run(); error != SQLITE_OK) return error;
  }
  return SQLITE_OK;
}

void SqliteStore::Impl::begin_transaction(const StoreBatch& batch) {
  trimmed_events = 0;
  trimmed_ids = 0;
  wire.clear();
  for (const ByteSpan event : batch.events) wire += as_text(event);
  if (!batch.events.empty()) count(EventsRow{batch.first.value, batch.events.size(), wire.size()});
  if (!batch.ids.empty()) {
    count(IdsRow{ids_rows.empty() ? 1 : ids_rows.back().batch + 1, batch.ids.size(),
                 batch.ids.back().accepted.microseconds});
  }
}

// The books follow the tables: forward when a transaction is kept, back when it is not.
void SqliteStore::Impl::end_transaction(const StoreBatch& batch, bool kept) {
  if (kept) {
    for (; trimmed_events > 0; --trimmed_events) take(events_rows, events_rows.begin());
    for (; trimmed_ids > 0; --trimmed_ids) take(ids_rows, ids_rows.begin());
    return;
  }
  if (!batch.events.empty()) take(events_rows, events_rows.end() - 1);
  if (!batch.ids.empty()) take(ids_rows, ids_rows.end() - 1);
}

template <typename Rows, typename Row>
void SqliteStore::Impl::take(Rows& rows, Row row) {
  discount(*row);
  rows.erase(row);
}

void SqliteStore::Impl::count(const EventsRow& row) {
  events += row.count;
  event_bytes += row.bytes;
  events_rows.push_back(row);
}

void SqliteStore::Impl::count(const IdsRow& row) {
  ids += row.count;
  ids_rows.push_back(row);
}

void SqliteStore::Impl::discount(const EventsRow& row) {
  events -= row.count;
  event_bytes -= row.bytes;
}

void SqliteStore::Impl::discount(const IdsRow& row) {
  ids -= row.count;
}

SqliteStore::SqliteStore(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

SqliteStore::~SqliteStore() = default;

Result<std::unique_ptr<SqliteStore>, std::string> SqliteStore::open(const Settings& settings) {
  auto impl = std::make_unique<Impl>(settings);
  if (auto opened = impl->open(); !opened) return opened.error();
  return std::unique_ptr<SqliteStore>(new SqliteStore(std::move(impl)));
}

Result<StoredHistory, std::string> SqliteStore::load(const std::string& epoch_if_new) {
  StoredHistory history;
  const bool loaded = impl_->load_position(history, epoch_if_new) && impl_->load_state(history) &&
                      impl_->load_events(history) && impl_->load_ids(history);
  if (!loaded) return impl_->failure("cannot read");
  if (!is_whole(history))
    return "the log in " + impl_->path + " is damaged: its events are not contiguous";
  return history;
}

Result<void, Rejection> SqliteStore::commit(const StoreBatch& batch) {
  impl_->begin_transaction(batch);
  const int error = impl_->write(batch);
  if (error == SQLITE_OK) {
    impl_->end_transaction(batch, true);
    return {};
  }
  const std::string why = impl_->failure("cannot write");
  impl_->rollback.run();
  impl_->end_transaction(batch, false);
  return Rejection{error == SQLITE_FULL ? RejectReason::storage_full : RejectReason::storage_failed,
                   0, why};
}

}  // namespace syncrelay
