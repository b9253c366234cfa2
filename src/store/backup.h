#pragma once

#include <memory>
#include <optional>
#include <string>

#include "database.h"
#include "syncrelay/base/result.h"
#include "syncrelay/protocol/rejection.h"

namespace syncrelay {

// A copy of a database in one file, made in short steps between which the database may be written
// by its own connection: SQLite brings such changes into the copy, so that it is what the database
// is at the last step. VACUUM INTO would hold the relay up for as long as it takes. The file bears
// the mark that makes a relay take a new epoch, and it appears under its name when it is whole and
// on the disk. The thread of the database.
class Backup {
 public:
  // The source must outlive it.
  static Result<std::unique_ptr<Backup>, Rejection> begin(Database& source,
                                                          const std::string& path);
  ~Backup();
  Backup(const Backup&) = delete;
  Backup& operator=(const Backup&) = delete;

  // nullopt: there is more to do. What cannot be written is storage_full or storage_failed.
  std::optional<Result<void, Rejection>> step();

 private:
  struct Finish {
    void operator()(sqlite3_backup* backup) const { sqlite3_backup_finish(backup); }
  };

  explicit Backup(const std::string& path) : path_(path), part_(path + ".part") {}
  Result<void, Rejection> end();
  Rejection failure(int error, const std::string& why) const;  // SQLite's
  Rejection failure() const { return failure(copy_.extended_error(), copy_.message()); }

  const std::string path_;
  const std::string part_;
  Database copy_;
  std::unique_ptr<sqlite3_backup, Finish> steps_;
};

}  // namespace syncrelay
