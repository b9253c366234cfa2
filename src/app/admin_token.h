#pragma once

#include <memory>
#include <string>

#include "syncrelay/auth/bearer_secret.h"
#include "syncrelay/base/log.h"
#include "syncrelay/base/result.h"
#include "syncrelay/config/config.h"
#include "watched_files.h"

namespace syncrelay {

// The file that has the admin listener's token: read at the start, and again when it has changed.
// One thread at a time.
class AdminToken {
 public:
  // Precondition: `config` names one. Both must outlive it.
  AdminToken(const Config& config, const Log& log);

  // The error names the file and says what is wrong with it.
  Result<void, std::string> load();

  // Precondition: load() went well. Lives as long as this.
  const BearerSecret& secret() const { return *secret_; }

  // Reads it again. What cannot be used is told, and the token stays what it was.
  void reload();
  // The same if the file is another one than that which was read last.
  void reload_if_changed();

 private:
  Result<std::string, FileError> read();  // the error names the file

  const Log& log_;
  WatchedFiles files_;
  std::unique_ptr<BearerSecret> secret_;
};

}  // namespace syncrelay
