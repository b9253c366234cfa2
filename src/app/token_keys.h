#pragma once

#include <sys/stat.h>

#include <memory>
#include <string>

#include "syncrelay/base/log.h"
#include "syncrelay/base/result.h"
#include "syncrelay/config/config.h"
#include "syncrelay/ws/token_desk.h"

namespace syncrelay {

// The file that has the keys of tokens: read at the start, and again when it has changed. One
// thread at a time.
class TokenKeys {
 public:
  // Precondition: `config` names one. Both must outlive it.
  TokenKeys(const Config& config, const Log& log) : config_(config), log_(log) {}

  // The error names the file and says what is wrong with it.
  Result<void, std::string> load();

  // Precondition: load() went well. Lives as long as this.
  const TokenSettings& settings() const { return *settings_; }

  // Reads it again. What cannot be used is told, and the keys stay what they were.
  void reload();
  // The same if the file is another one than that which was read last.
  void reload_if_changed();

 private:
  // By which a file that was written anew is told from the one before.
  struct Mark {
    bool there = false;
    ino_t inode = 0;
    off_t size = 0;
    timespec changed{};
    bool operator==(const Mark& other) const;
  };

  const std::string& path() const;
  Mark mark() const;
  KeySet::Made read();

  const Config& config_;
  const Log& log_;
  Mark read_;  // what was tried last
  std::unique_ptr<TokenSettings> settings_;
};

}  // namespace syncrelay
