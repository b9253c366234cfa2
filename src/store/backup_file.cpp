#include "syncrelay/store/backup_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <cstring>
#include <filesystem>

#include "backup.h"
#include "books.h"
#include "history_reader.h"
#include "schema.h"
#include "syncrelay/store/data_files.h"

namespace syncrelay {
namespace {

std::string system_error(const std::string& what) {
  return what + ": " + std::strerror(errno);
}

// Never over a file that is there already.
Result<void, std::string> put_in_place(const std::string& part, const std::string& path) {
  const bool linked = link(part.c_str(), path.c_str()) == 0;
  const std::string why = linked ? "" : system_error("cannot make " + path);
  unlink(part.c_str());
  if (!linked) return why;
  const std::filesystem::path directory = std::filesystem::path(path).parent_path();
  sync_path(directory.empty() ? "." : directory.string());
  return {};
}

bool copy_bytes(int from, int to) {
  std::array<std::byte, 65536> bytes;
  ssize_t size = 0;
  while ((size = read(from, bytes.data(), bytes.size())) > 0) {
    for (ssize_t done = 0; done < size;) {
      const ssize_t written = write(to, bytes.data() + done, static_cast<std::size_t>(size - done));
      if (written <= 0) return false;
      done += written;
    }
  }
  return size == 0 && fsync(to) == 0;
}

Result<void, std::string> copy_file(const std::string& from, const std::string& part) {
  const int source = open(from.c_str(), O_RDONLY | O_CLOEXEC);
  if (source < 0) return system_error("cannot read " + from);
  const int target = open(part.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  const bool copied = target >= 0 && copy_bytes(source, target);
  const std::string why = copied ? "" : system_error("cannot write " + part);
  close(source);
  if (target >= 0) close(target);
  if (copied) return {};
  if (target >= 0) unlink(part.c_str());
  return why;
}

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
  if (format.value() == Format::empty) return std::string("it is empty");
  if (format.value() == Format::version_1) return check_pages(database);
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
  return done.ok() ? move_backup(files.backup, path) : done;
}

Result<void, std::string> move_backup(const std::string& from, const std::string& path) {
  const std::string part = path + ".part";
  if (auto copied = copy_file(from, part); !copied) return copied;
  unlink(from.c_str());
  return put_in_place(part, path);
}

}  // namespace syncrelay
