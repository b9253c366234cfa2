#pragma once

#include <string>
#include <vector>

#include "syncrelay/base/log.h"
#include "syncrelay/base/result.h"
#include "syncrelay/config/config.h"
#include "syncrelay/ipc/peer_keys.h"
#include "watched_files.h"

namespace syncrelay {

// The files that have the relay's CURVE key, read at the start, and those of its peers, read again
// when they have changed. One thread at a time.
class CurveFiles {
 public:
  // Precondition: `config` names both. `log` must outlive it.
  CurveFiles(const Config& config, const Log& log);

  // The error names the file and says what is wrong with it.
  Result<void, std::string> load();

  // Precondition: load() went well.
  const std::string& secret_key() const { return secret_key_; }
  // Lives as long as this.
  const PeerKeys& clients() const { return clients_; }

  // Reads the peers' keys again. What cannot be used is told, and they stay what they were; so it
  // is with a file that has none: it may be about to be written.
  void reload();
  // The same if the file is another one than that which was read last.
  void reload_if_changed();

 private:
  Result<std::vector<std::string>, FileError> read_clients();

  const std::string key_path_;
  const Log& log_;
  WatchedFiles files_;
  std::string secret_key_;
  PeerKeys clients_;
};

}  // namespace syncrelay
