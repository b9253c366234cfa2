#include "backup.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "syncrelay/store/data_files.h"

namespace syncrelay {
namespace {

constexpr int kStepPages = 64;

// What a relay notices; as one file without a log beside it.
constexpr char kMarkAsBackup[] =
    "PRAGMA journal_mode = DELETE; PRAGMA application_id = 0x53595242;";

// Lets the disk begin with what is written, so that the sync at the end is short.
void begin_write_back(const std::string& path) {
  const int fd = open(path.c_str(), O_RDWR | O_CLOEXEC);
  if (fd < 0) return;
  sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE);
  close(fd);
}

Rejection system_failure(const std::string& what, int error) {
  const bool full = error == ENOSPC || error == EDQUOT;
  return {full ? RejectReason::storage_full : RejectReason::storage_failed, 0,
          what + ": " + std::strerror(error)};
}

}  // namespace

Rejection Backup::failure(int error, const std::string& why) const {
  const bool full = (error & 0xFF) == SQLITE_FULL;
  return {full ? RejectReason::storage_full : RejectReason::storage_failed, 0,
          "cannot write " + part_ + ": " + why};
}

Result<std::unique_ptr<Backup>, Rejection> Backup::begin(Database& source,
                                                         const std::string& path) {
  std::unique_ptr<Backup> backup(new Backup(path));
  unlink(backup->part_.c_str());
  if (const int error = make_private(backup->part_); error != 0)
    return system_failure("cannot write " + backup->part_, error);
  if (backup->copy_.open(backup->part_) != SQLITE_OK ||
      backup->copy_.execute("PRAGMA synchronous = OFF; PRAGMA journal_mode = OFF;") != SQLITE_OK)
    return backup->failure();
  backup->steps_.reset(
      sqlite3_backup_init(backup->copy_.handle(), "main", source.handle(), "main"));
  if (!backup->steps_) return backup->failure();
  return backup;
}

Backup::~Backup() {
  steps_.reset();
  copy_.close();
  unlink(part_.c_str());
}

std::optional<Result<void, Rejection>> Backup::step() {
  const int result = sqlite3_backup_step(steps_.get(), kStepPages);
  if (result == SQLITE_DONE) return end();
  if (result == SQLITE_OK || result == SQLITE_BUSY || result == SQLITE_LOCKED) {
    begin_write_back(part_);
    return std::nullopt;
  }
  steps_.reset();
  return failure(result, sqlite3_errstr(result));
}

Result<void, Rejection> Backup::end() {
  if (sqlite3_backup_finish(steps_.release()) != SQLITE_OK ||
      copy_.execute(kMarkAsBackup) != SQLITE_OK)
    return failure();
  copy_.close();
  if (const int error = sync_path(part_); error != 0)
    return system_failure("cannot sync " + part_, error);
  if (std::rename(part_.c_str(), path_.c_str()) != 0)
    return system_failure("cannot make " + path_, errno);
  return {};
}

}  // namespace syncrelay
