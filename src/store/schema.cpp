#include "schema.h"

namespace syncrelay {
namespace {

constexpr char kTables[] = R"(
  BEGIN IMMEDIATE;
  CREATE TABLE position (only INTEGER PRIMARY KEY CHECK (only = 1), epoch BLOB NOT NULL, seq INTEGER NOT NULL,
                         commits INTEGER NOT NULL, ran INTEGER NOT NULL, state_sum INTEGER NOT NULL,
                         events_sum INTEGER NOT NULL, ids_sum INTEGER NOT NULL, sum INTEGER NOT NULL);
  CREATE TABLE state (key BLOB PRIMARY KEY, value BLOB NOT NULL, sum INTEGER NOT NULL) WITHOUT ROWID;
  CREATE TABLE events (first INTEGER PRIMARY KEY, count INTEGER NOT NULL, wire BLOB NOT NULL, sum INTEGER NOT NULL);
  CREATE TABLE ids (batch INTEGER PRIMARY KEY, accepted INTEGER NOT NULL, count INTEGER NOT NULL,
                    records BLOB NOT NULL, sum INTEGER NOT NULL);
  PRAGMA user_version = 2;
  PRAGMA application_id = 0x53595243;
  COMMIT;
)";

// The ids of version 1 have wall times, which say nothing sure: they count as new. SQL's aggregates
// know no exclusive or, so total_sum() stands in.
constexpr char kFromVersion1[] = R"(
  BEGIN IMMEDIATE;
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
  PRAGMA user_version = 2;
  PRAGMA application_id = 0x53595243;
  COMMIT;
)";

Result<void, std::string> run(Database& database, const char* sql, const std::string& what) {
  if (database.execute(sql) == SQLITE_OK) return {};
  const std::string why = database.message();
  database.execute("ROLLBACK");
  return what + ": " + why;
}

std::string not_of_this_program(Database& database) {
  const auto application = database.number("PRAGMA application_id");
  if (application != kLiveDatabase && application != kBackupDatabase)
    return "it is the database of another program";
  return std::string("it is damaged: the columns of table position") + kHowToGoOn;
}

}  // namespace

std::string made_by_later(std::uint64_t version) {
  return "it was made by a later version of syncrelay (format " + std::to_string(version) +
         "; this one knows " + std::to_string(kSchemaVersion) +
         "): run that version, or give another --data";
}

Result<Format, std::string> format_of(Database& database) {
  constexpr char kColumns[] =
      "SELECT count(*) FROM pragma_table_info('position')"
      " WHERE name IN ('epoch', 'seq', 'commits', 'ran')";
  constexpr std::uint64_t kColumnsOf1 = 2;
  constexpr std::uint64_t kColumnsOf2 = 4;
  const auto version = database.number("PRAGMA user_version");
  const auto tables = database.number("SELECT count(*) FROM sqlite_schema");
  const auto columns = database.number(kColumns);
  if (!version || !tables || !columns) return database.message() + kHowToGoOn;
  if (*version > kSchemaVersion) return made_by_later(*version);
  if (*version == 0 && *tables == 0) return Format::empty;
  if (*version == 1 && *columns == kColumnsOf1) return Format::version_1;
  if (*version == 0 || *columns != kColumnsOf2) return not_of_this_program(database);
  return *version == kSchemaVersion ? Format::version_2 : Format::set_back;
}

Result<Format, std::string> prepare_schema(Database& database) {
  const auto format = format_of(database);
  if (!format) return format;
  Result<void, std::string> done;
  if (format.value() == Format::empty) done = run(database, kTables, "cannot make the tables");
  if (format.value() == Format::version_1) {
    if (database.define_sums() != SQLITE_OK) return database.message();
    done = run(database, kFromVersion1, "cannot bring it from format 1 to 2, and left it as it is");
  }
  if (!done) return done.error();
  return format;
}

}  // namespace syncrelay
