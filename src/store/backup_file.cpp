#include "syncrelay/store/backup_file.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "backup.h"
#include "books.h"
#include "history_reader.h"
#include "migration.h"
#include "schema.h"
#include "syncrelay/store/data_files.h"
#include "syncrelay/store/made_backup.h"
#include "system_error.h"

namespace syncrelay {
namespace {

// All that can be told of version 1, which has no sums.
Result<void, std::string> check_pages(Database& database) {
  Statement check;
  if (database.prepare("PRAGMA integrity_check(1)", check) != SQLITE_OK ||
      check.step() != SQLITE_ROW)
    return database.message();
  if (check.blob(0) != "ok") return "is damaged: " + std::string(check.blob(0));
  return {};
}

Result<void, std::string> check_whole(Database& database) {
  const auto format = format_of(database);
  if (!format) return format.error();
  if (format.value().version == 0) return std::string("it is empty");
  if (format.value().version == 1) return check_pages(database);
  if (format.value().version < kSchemaVersion)
    return check_version(database, format.value().version);
  StoredHistory history;
  Books books;
  const auto read = HistoryReader(database, books).read(history);
  if (!read) return read.error();
  return {};
}

Result<void, std::string> copy_database(Database& database, const std::string& path) {
  const auto backup = Backup::begin(database, path);
  if (!backup) return backup.error().detail;
  std::optional<Result<void, Rejection>> ended;
  while (!ended) ended = backup.value()->step();
  if (!*ended) return ended->error().detail;
  return {};
}

// What cannot be moved is not left behind: it can be made again.
Result<void, std::string> move_own_backup(const std::string& from, const std::string& path) {
  auto made = MadeBackup::find(from, geteuid());
  if (!made) return made.error();
  auto moved = made.value().move_to(path);
  if (!moved) made.value().remove();
  return moved;
}

}  // namespace

Result<void, std::string> find_database(const std::string& directory) {
  const DataFiles files(directory);
  if (!identify(directory)) return system_error("cannot back up " + directory);
  if (identify(files.database)) return {};
  if (errno == ENOENT) return "there is no database in " + directory;
  return system_error("cannot back up " + files.database);
}

Result<void, std::string> back_up_directory(const std::string& directory, const std::string& path) {
  const DataFiles files(directory);
  if (auto there = find_database(directory); !there) return there;
  Database database;
  if (database.open(files.database) != SQLITE_OK ||
      database.execute("PRAGMA locking_mode = EXCLUSIVE") != SQLITE_OK)
    return "cannot open " + files.database + ": " + database.message();
  auto done = check_whole(database);
  if (done) {
    done = copy_database(database, files.backup);
  } else {
    done = files.database + ": " + done.error();
  }
  database.close_leaving_the_log();
  return done ? move_own_backup(files.backup, path) : done;
}

}  // namespace syncrelay
