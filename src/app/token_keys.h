#pragma once

#include <memory>
#include <string>

#include "syncrelay/base/log.h"
#include "syncrelay/base/result.h"
#include "syncrelay/config/config.h"
#include "syncrelay/ws/token_desk.h"
#include "watched_files.h"

namespace syncrelay {

// The file that has the keys of tokens: read at the start, and again when it has changed. One
// thread at a time.
class TokenKeys {
 public:
  // Precondition: `config` names one. Both must outlive it.
  TokenKeys(const Config& config, const Log& log);

  // The error names the file and says what is wrong with it.
  Result<void, std::string> load();

  // Precondition: load() went well. Lives as long as this.
  const TokenSettings& settings() const { return *settings_; }

  // Reads it again. What cannot be used is told, and the keys stay what they were.
  void reload();
  // The same if the file is another one than that which was read last.
  void reload_if_changed();

 private:
  const std::string& path() const { return files_.path(0); }
  KeySet::Made read();  // the error names the file
  KeySet::Made keys_in(const std::string& text) const;

  const Config& config_;
  const Log& log_;
  WatchedFiles files_;
  std::unique_ptr<TokenSettings> settings_;
};

}  // namespace syncrelay
