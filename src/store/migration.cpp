#include "migration.h"

#include <initializer_list>

#include "columns.h"
#include "damage.h"
#include "row_sum.h"
#include "syncrelay/base/crash_point.h"

namespace syncrelay {
namespace {

constexpr char kPosition[] = R"(
  CREATE TABLE position (only INTEGER PRIMARY KEY CHECK (only = 1), epoch BLOB NOT NULL, seq INTEGER NOT NULL,
                         commits INTEGER NOT NULL, ran INTEGER NOT NULL, events INTEGER NOT NULL,
                         version INTEGER NOT NULL, channels BLOB NOT NULL, state_sum INTEGER NOT NULL,
                         events_sum INTEGER NOT NULL, ids_sum INTEGER NOT NULL, members_sum INTEGER NOT NULL,
                         sum INTEGER NOT NULL);
)";

constexpr char kMembers[] = R"(
  CREATE TABLE members (channel BLOB NOT NULL, id BLOB NOT NULL, sum INTEGER NOT NULL, value BLOB NOT NULL,
                        will BLOB NOT NULL, PRIMARY KEY (channel, id)) WITHOUT ROWID;
)";

constexpr char kTables[] = R"(
  CREATE TABLE state (channel BLOB NOT NULL, key BLOB NOT NULL, sum INTEGER NOT NULL, version INTEGER NOT NULL,
                      expiry BLOB NOT NULL, value BLOB NOT NULL, PRIMARY KEY (channel, key)) WITHOUT ROWID;
  CREATE TABLE channels (name BLOB PRIMARY KEY, start INTEGER NOT NULL, last INTEGER NOT NULL,
                         generation INTEGER NOT NULL, sum INTEGER NOT NULL) WITHOUT ROWID;
  CREATE TABLE tombstones (hash INTEGER PRIMARY KEY, last INTEGER NOT NULL, sum INTEGER NOT NULL);
  CREATE TABLE events (first INTEGER PRIMARY KEY, count INTEGER NOT NULL, runs BLOB NOT NULL, wire BLOB NOT NULL,
                       sum INTEGER NOT NULL);
)";

constexpr char kIds[] = R"(
  CREATE TABLE ids (batch INTEGER PRIMARY KEY, accepted INTEGER NOT NULL, count INTEGER NOT NULL,
                    records BLOB NOT NULL, sum INTEGER NOT NULL);
)";

// The ids of version 1 have wall times, which say nothing sure: they count as new. SQL's aggregates
// know no exclusive or, so total_sum() stands in.
constexpr char kFrom1To2[] = R"(
  ALTER TABLE position ADD COLUMN commits INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE position ADD COLUMN ran INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE position ADD COLUMN state_sum INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE position ADD COLUMN events_sum INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE position ADD COLUMN ids_sum INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE position ADD COLUMN sum INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE state ADD COLUMN sum INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE events ADD COLUMN sum INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE ids ADD COLUMN sum INTEGER NOT NULL DEFAULT 0;
  UPDATE ids SET accepted = 0;
  UPDATE state SET sum = row_sum(key, value);
  UPDATE events SET sum = row_sum(first, count, wire);
  UPDATE ids SET sum = row_sum(batch, accepted, count, records);
  UPDATE position SET state_sum = (SELECT total_sum(sum) FROM state),
                      events_sum = (SELECT total_sum(sum) FROM events),
                      ids_sum = (SELECT total_sum(sum) FROM ids);
  UPDATE position SET sum = row_sum(epoch, seq, commits, ran, state_sum, events_sum, ids_sum);
  PRAGMA application_id = 0x53595243;
)";

constexpr char kSetAside[] = R"(
  ALTER TABLE position RENAME TO old_position;
  ALTER TABLE state RENAME TO old_state;
  ALTER TABLE events RENAME TO old_events;
)";

// All is of the default channel, whose seqs were the numbers of the events. What the keys' versions
// were nobody knows: they begin with 1. The count of commits goes on, as the note beside the
// database speaks of it.
constexpr char kFrom2To4[] = R"(
  INSERT INTO state SELECT x'', key, row_sum(x'', key, 1, x'', value), 1, x'', value FROM old_state;
  INSERT INTO events SELECT first, count, x'', wire, row_sum(first, count, x'', wire) FROM old_events;
  INSERT INTO position SELECT 1, epoch, seq, commits, ran, seq, EXISTS (SELECT 1 FROM state), x'',
                              (SELECT total_sum(sum) FROM state), (SELECT total_sum(sum) FROM events), ids_sum, 0, 0
                         FROM old_position;
  DROP TABLE old_position;
  DROP TABLE old_state;
  DROP TABLE old_events;
)";

// What clients have said to the backend, and the `refs` under which.
constexpr char kInbox[] = R"(
  ALTER TABLE position ADD COLUMN inbox BLOB NOT NULL DEFAULT x'';
  CREATE TABLE inbox (n INTEGER PRIMARY KEY, connection INTEGER NOT NULL, ts INTEGER NOT NULL, sender BLOB NOT NULL,
                      channel BLOB NOT NULL, text BLOB NOT NULL, sum INTEGER NOT NULL);
  CREATE TABLE refs (batch INTEGER PRIMARY KEY, accepted INTEGER NOT NULL, count INTEGER NOT NULL,
                     records BLOB NOT NULL, sum INTEGER NOT NULL);
)";

constexpr char kFrom3To4[] = R"(
  INSERT INTO position SELECT 1, epoch, seq, commits, ran, events, version, channels, state_sum, events_sum, ids_sum,
                              0, 0 FROM old_position;
  DROP TABLE old_position;
)";

// Of version 4, when all of the row is there.
constexpr char kSumOfPosition[] = R"(
  UPDATE position SET sum = row_sum(epoch, seq, commits, ran, events, version, channels, state_sum, events_sum, ids_sum,
                                    members_sum, inbox);
)";

Result<void, std::string> run(Database& database, const char* sql) {
  if (database.execute(sql) == SQLITE_OK) return {};
  return database.message();
}

Result<void, std::string> run_all(Database& database, std::initializer_list<const char*> scripts) {
  for (const char* const sql : scripts) {
    if (auto done = run(database, sql); !done) return done;
  }
  return {};
}

// `select` yields what is damaged; nothing when all is well.
template <typename Name>
Result<void, std::string> check(Database& database, const char* select, Name name) {
  Statement statement;
  if (database.prepare(select, statement) != SQLITE_OK) return database.message();
  const int result = statement.step();
  if (result == SQLITE_DONE) return {};
  return result == SQLITE_ROW ? "is damaged: " + name(statement) : database.message();
}

// What yields the damaged rows of tables that two versions have, each in its way.
struct RowChecks {
  const char* position;
  const char* state;  // channel, key
  const char* events;
};

constexpr RowChecks kRowChecks2 = {
    "SELECT 1 FROM position"
    " WHERE sum IS NOT row_sum(epoch, seq, commits, ran, state_sum, events_sum, ids_sum)",
    "SELECT x'', key FROM state WHERE sum IS NOT row_sum(key, value)",
    "SELECT first, count FROM events WHERE sum IS NOT row_sum(first, count, wire)"};
constexpr RowChecks kRowChecks3 = {
    "SELECT 1 FROM position WHERE sum IS NOT row_sum(epoch, seq, commits, ran, events, version,"
    " channels, state_sum, events_sum, ids_sum)",
    "SELECT channel, key FROM state"
    " WHERE sum IS NOT row_sum(channel, key, version, expiry, value)",
    "SELECT first, count FROM events WHERE sum IS NOT row_sum(first, count, runs, wire)"};

Result<void, std::string> check_rows(Database& database, const RowChecks& checks) {
  constexpr char kBatches[] =
      "SELECT batch FROM ids WHERE sum IS NOT row_sum(batch, accepted, count, records)";
  auto checked = check(database, checks.position,
                       [](const Statement&) { return std::string(kDamagedPosition); });
  if (!checked) return checked;
  checked = check(database, checks.state,
                  [](const Statement& row) { return value_of_key(row.blob(0), row.blob(1)); });
  if (!checked) return checked;
  checked = check(database, checks.events, [](const Statement& row) {
    return event_span(row.number(0), row.number(1)) + " (table events)";
  });
  if (!checked) return checked;
  return check(database, kBatches,
               [](const Statement& row) { return ids_of_batch("ids", row.number(0)); });
}

// Those that version 3 has besides, whose sums lie in one column of the position.
Result<void, std::string> check_channels_3(Database& database) {
  constexpr char kChannels[] =
      "SELECT name FROM channels WHERE sum IS NOT row_sum(name, start, last, generation)";
  constexpr char kTombstones[] = "SELECT hash FROM tombstones WHERE sum IS NOT row_sum(hash, last)";
  auto checked = check(database, kChannels, [](const Statement& row) {
    return "channel " + shown(row.blob(0)) + " (table channels)";
  });
  if (!checked) return checked;
  checked = check(database, kTombstones, [](const Statement& row) {
    return "tombstone " + std::to_string(row.number(0)) + " (table tombstones)";
  });
  if (!checked) return checked;
  Statement position;
  if (database.prepare("SELECT channels FROM position", position) != SQLITE_OK)
    return database.message();
  Position sums;
  if (position.step() == SQLITE_ROW && !decode_channels(position.blob(0), sums))
    return "is damaged: " + std::string(kDamagedPosition);
  const auto channels = database.number("SELECT total_sum(sum) FROM channels");
  const auto tombstones = database.number("SELECT total_sum(sum) FROM tombstones");
  if (!channels || !tombstones) return database.message();
  if (*channels != sums.sum_of(Table::channels)) return "is damaged: " + rows_missing("channels");
  if (*tombstones == sums.sum_of(Table::tombstones)) return {};
  return "is damaged: " + rows_missing("tombstones");
}

// The last step of a transaction, with the header that tells of it. One that was set back stays so.
Result<void, std::string> commit(Database& database, const Format& format) {
  if (!format.set_back) {
    if (auto marked = run(database, "PRAGMA user_version = 4;"); !marked) return marked;
  }
  crash_point("before_migration");
  auto committed = run(database, "COMMIT");
  if (committed) crash_point("after_migration");
  return committed;
}

Result<void, std::string> make_tables(Database& database) {
  auto made = run(database, "PRAGMA application_id = 0x53595243;");
  return made ? run_all(database, {kPosition, kTables, kMembers, kIds, kInbox}) : made;
}

Result<void, std::string> bring_to_4(Database& database, std::uint32_t version) {
  if (version == 3) {
    constexpr char kSetAside3[] = "ALTER TABLE position RENAME TO old_position;";
    return run_all(database, {kSetAside3, kPosition, kMembers, kFrom3To4, kInbox, kSumOfPosition});
  }
  auto done = version == 1 ? run(database, kFrom1To2) : Result<void, std::string>();
  if (!done) return done;
  return run_all(database,
                 {kSetAside, kPosition, kTables, kMembers, kFrom2To4, kInbox, kSumOfPosition});
}

std::string failure(const Format& format, const std::string& why) {
  if (format.version == 0) return "cannot make the tables: " + why;
  return "cannot bring it from format " + std::to_string(format.version) + " to " +
         std::to_string(kSchemaVersion) + ", and left it as it is: " + why;
}

}  // namespace

Result<void, std::string> check_version(Database& database, std::uint32_t version) {
  if (database.define_sums() != SQLITE_OK) return database.message();
  if (version == 1) return {};
  auto checked_rows = check_rows(database, version == 2 ? kRowChecks2 : kRowChecks3);
  if (!checked_rows) return checked_rows;
  for (const char* table : {"state", "events", "ids"}) {
    const std::string name = table;
    const std::string select = "SELECT 1 FROM position WHERE " + name +
                               "_sum IS NOT (SELECT total_sum(sum) FROM " + name + ")";
    auto checked =
        check(database, select.c_str(), [&name](const Statement&) { return rows_missing(name); });
    if (!checked) return checked;
  }
  return version == 3 ? check_channels_3(database) : Result<void, std::string>();
}

Result<void, std::string> migrate(Database& database, const Format& format) {
  if (database.define_sums() != SQLITE_OK || database.execute("BEGIN IMMEDIATE") != SQLITE_OK)
    return failure(format, database.message());
  if (format.version != 0) {
    if (auto whole = check_version(database, format.version); !whole) {
      database.execute("ROLLBACK");
      return "it " + whole.error() + kHowToGoOn;
    }
  }
  auto done = format.version == 0 ? make_tables(database) : bring_to_4(database, format.version);
  if (done) done = commit(database, format);
  if (done) return {};
  database.execute("ROLLBACK");
  return failure(format, done.error());
}

}  // namespace syncrelay
